/** The sheets of films to look at and of held studies: Enter or "larger" opens a film in its full size, over the sheet,
 * ticks and all. */
import { decidesByKeys } from "./held";
import { enlargesFilms } from "./larger";

const sheet = document.querySelector<HTMLFormElement>("[data-look-sheet]");
const dialog = document.querySelector<HTMLDialogElement>("[data-look-larger]");
if (sheet && dialog) {
  const larger = enlargesFilms(sheet, dialog);
  if ("heldSheet" in sheet.dataset) decidesByKeys(sheet, dialog, larger);
}
