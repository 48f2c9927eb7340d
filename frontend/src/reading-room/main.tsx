/** The reading room: an expert rates a model's reasoning, step by step, on the film itself. */
import "../styles/reading-room.css";
import "../styles/room-cards.css";
import "../styles/room-foot.css";
import "../styles/room-sheets.css";
import "../styles/room-narrow.css";
import { render } from "preact";
import { ReadingRoom } from "./reading-room";

const mount = document.getElementById("reading-room");
const uid = mount?.dataset.readingUid;
if (mount && uid) {
  const addresses = {
    worklist: mount.dataset.worklistUrl ?? "/",
    reading: uid,
    amendment: mount.dataset.amendmentUrl ?? null,
    isAmended: mount.dataset.isAmended !== undefined,
    take: mount.dataset.takeUrl ?? null,
  };
  // What the page says while this script is on its way.
  mount.replaceChildren();
  const account = {
    uid: mount.dataset.account ?? "",
    username: mount.dataset.username ?? "",
    pseudonym: mount.dataset.pseudonym ?? "",
    isNewHere: mount.dataset.newHere !== undefined,
  };
  render(<ReadingRoom uid={uid} account={account} addresses={addresses} />, mount);
}
