/** The films on a study's page, each in a viewer of its own, with the regions that models pointed at. */

import { sayHowFar } from "./said-aloud";
import { showWhatIsPointedAt } from "./said-regions";
import { StudyFilm } from "./study-film";

const films = new Map<string, StudyFilm>();
for (const place of document.querySelectorAll<HTMLElement>("[data-film-viewer]")) {
  const { filmUrl, sopInstanceUid, fileSha256: sha256 } = place.dataset;
  if (filmUrl && sopInstanceUid && sha256)
    films.set(sopInstanceUid, new StudyFilm(place, { url: filmUrl, sopInstanceUid, sha256 }));
}
showWhatIsPointedAt(document, films);
sayHowFar(document);
