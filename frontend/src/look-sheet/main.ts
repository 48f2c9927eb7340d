/** The sheet of films to look at: Enter or "larger" opens one in its full size, over the sheet, ticks and all. */
import { enlargesFilms } from "./larger";

const sheet = document.querySelector<HTMLFormElement>("[data-look-sheet]");
const dialog = document.querySelector<HTMLDialogElement>("[data-look-larger]");
if (sheet && dialog) enlargesFilms(sheet, dialog);
