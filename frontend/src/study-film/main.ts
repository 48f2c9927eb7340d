/** The films on a study's page: window, zoom, pan, invert and fit, each film in a viewer of its own. */
import { type Display, type DragTool, WrongImage } from "../viewer/film";
import { createFilmView } from "../viewer/view";

const TOOLS: readonly { tool: DragTool; name: string }[] = [
  { tool: "window", name: "Window" },
  { tool: "pan", name: "Pan" },
  { tool: "zoom", name: "Zoom" },
];

function made<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  className: string,
  text = "",
): HTMLElementTagNameMap[Name] {
  const element = document.createElement(name);
  element.className = className;
  element.textContent = text;
  return element;
}

function button(text: string, press: (self: HTMLButtonElement) => void): HTMLButtonElement {
  const self = made("button", "", text);
  self.type = "button";
  self.addEventListener("click", () => press(self));
  return self;
}

function showFilm(place: HTMLElement, url: string, sopInstanceUid: string): void {
  const stage = made("div", "film-stage");
  const bar = made("div", "film-bar");
  const area = made("div", "film-area");
  area.append(stage);
  place.replaceChildren(bar, area);
  const view = createFilmView(stage);

  const tools = made("div", "film-tools");
  tools.setAttribute("role", "toolbar");
  tools.setAttribute("aria-label", "Film tools");
  const toolButtons = TOOLS.map(({ tool, name }) =>
    button(name, (self) => {
      view.setDragTool(tool);
      for (const other of toolButtons) other.setAttribute("aria-pressed", String(other === self));
    }),
  );
  toolButtons[0]?.setAttribute("aria-pressed", "true");
  const invert = button("Invert", () => view.setInverted(!view.display()?.inverted));
  const presets = made("select", "");
  presets.setAttribute("aria-label", "Window preset");
  presets.addEventListener("change", () => view.choosePreset(presets.selectedIndex));
  tools.append(
    ...toolButtons,
    invert,
    button("Fit", () => view.fit()),
    button("1:1", () => view.showActualSize()),
    button("+", () => view.zoomBy(1.2)),
    button("−", () => view.zoomBy(1 / 1.2)),
    presets,
  );
  const corner = made("div", "film-corner right");
  bar.append(tools);
  area.append(corner);

  view.onDisplayChanged(({ label, inverted, zoom }: Display) => {
    invert.setAttribute("aria-pressed", String(inverted));
    corner.textContent = `${label}\nzoom ${Math.round(zoom * 100)} %`;
  });

  const load = async (): Promise<void> => {
    place.querySelector(".film-problem")?.remove();
    const waiting = made("div", "film-problem", "Loading the film…");
    waiting.setAttribute("role", "status");
    area.append(waiting);
    try {
      await view.showImage({ url, sopInstanceUid });
      presets.replaceChildren(...view.presets().map((name) => made("option", "", name)));
    } catch (error) {
      if (!(error instanceof WrongImage)) throw error;
      tell(error.message);
    } finally {
      waiting.remove();
    }
  };
  const tell = (sentence: string): void => {
    const problem = made("div", "film-problem");
    problem.setAttribute("role", "alert");
    problem.append(
      made("strong", "", sentence),
      button("Load the film again", () => void load()),
    );
    problem.querySelector("button")?.classList.add("button", "primary");
    area.append(problem);
  };
  view.onImageLost((problem) => tell(problem.message));
  void load();
}

for (const place of document.querySelectorAll<HTMLElement>("[data-film-viewer]")) {
  const { filmUrl, sopInstanceUid } = place.dataset;
  if (filmUrl && sopInstanceUid) showFilm(place, filmUrl, sopInstanceUid);
}
