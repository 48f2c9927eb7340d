/** One film on a study's page: window, pan, zoom, ruler, magnifier and regions, and the whole screen for it. */
import { type Display, type DragTool, type Film, type RegionMark, WrongImage } from "../viewer/film";
import type { Box } from "../viewer/geometry";
import { inWords, startingLine, withEndMoved, withLine } from "../viewer/ruler";
import { createFilmView } from "../viewer/view";
import { aboutPreset } from "../viewer/window";
import { button, made, toggle } from "./elements";

const TOOLS: readonly { tool: DragTool; name: string }[] = [
  { tool: "window", name: "Window" },
  { tool: "pan", name: "Pan" },
  { tool: "zoom", name: "Zoom" },
  { tool: "measure", name: "Measure" },
];
const ZOOM_STEP = 1.2;
const ARROWS: Readonly<Record<string, { x: number; y: number }>> = {
  ArrowLeft: { x: -1, y: 0 },
  ArrowRight: { x: 1, y: 0 },
  ArrowUp: { x: 0, y: -1 },
  ArrowDown: { x: 0, y: 1 },
};
const FAR = 10;

/** A further tool, which comes first and is chosen at first: what a drag does then is for whoever gives it. */
export interface OwnTool {
  readonly name: string;
  turn(isOn: boolean): void;
}

export class StudyFilm {
  readonly view;
  private readonly area = made("div", "film-area");
  private readonly corner = made("div", "film-corner right");
  private readonly measured = made("p", "visually-hidden");
  private readonly presets = made("select", "");
  private readonly invert = button("Invert", () => this.view.setInverted(!this.view.display()?.inverted));
  private readonly toolButtons = TOOLS.map(({ tool, name }) => button(name, () => this.choose(tool)));
  private readonly ownButton: HTMLButtonElement | null;
  private tool: DragTool = "window";

  constructor(
    private readonly place: HTMLElement,
    private readonly film: Film,
    private readonly own: OwnTool | null = null,
  ) {
    this.ownButton = own && button(own.name, () => this.chooseOwn());
    const stage = made("div", "film-stage");
    const bar = made("div", "film-bar");
    this.area.append(stage, this.corner);
    this.measured.setAttribute("role", "status");
    place.replaceChildren(bar, this.area, this.measured);
    this.view = createFilmView(stage);
    bar.append(this.tools());
    if (own === null) this.choose("window");
    else this.markTool("own");
    this.view.onDisplayChanged((display) => this.tellDisplay(display));
    this.view.onMeasured(() => this.tellLength());
    this.view.onImageLost((problem) => this.tell(problem.message));
    place.addEventListener("keydown", (event) => this.pressed(event));
    void this.load();
  }

  /** Null where nothing is on screen. */
  get size() {
    return this.view.filmSize();
  }

  showRegions(marks: readonly RegionMark[]): void {
    this.view.showRegions(marks);
  }

  /** Takes the film out of memory; its place is free for another one. */
  dispose(): void {
    this.view.dispose();
    this.place.replaceChildren();
  }

  bringIntoView(box: Box): void {
    this.place.scrollIntoView({ block: "nearest" });
    this.view.bringIntoView(box);
  }

  private tools(): HTMLElement {
    const tools = made("div", "film-tools");
    tools.setAttribute("role", "toolbar");
    tools.setAttribute("aria-label", "Film tools");
    this.presets.setAttribute("aria-label", "Window preset");
    this.presets.addEventListener("change", () => this.view.choosePreset(Number(this.presets.value)));
    const whole = toggle("Full screen", (isOn) => {
      void (isOn ? this.place.requestFullscreen() : document.exitFullscreen());
    });
    this.place.addEventListener("fullscreenchange", () => {
      whole.setAttribute("aria-pressed", String(document.fullscreenElement === this.place));
    });
    tools.append(
      ...(this.ownButton ? [this.ownButton] : []),
      ...this.toolButtons,
      toggle("Magnify", (isOn) => this.view.setMagnifying(isOn)),
      this.invert,
      button("Fit", () => this.view.fit()),
      button("1:1", () => this.view.showActualSize()),
      button("+", () => this.view.zoomBy(ZOOM_STEP)),
      button("−", () => this.view.zoomBy(1 / ZOOM_STEP)),
      this.presets,
      whole,
    );
    return tools;
  }

  private choose(tool: DragTool): void {
    this.tool = tool;
    this.view.setDragTool(tool);
    this.markTool(tool);
    this.own?.turn(false);
  }

  private chooseOwn(): void {
    this.tool = "window";
    this.view.setDragTool("window");
    this.markTool("own");
    this.own?.turn(true);
  }

  private markTool(tool: DragTool | "own"): void {
    this.ownButton?.setAttribute("aria-pressed", String(tool === "own"));
    for (const [at, each] of this.toolButtons.entries()) {
      each.setAttribute("aria-pressed", String(TOOLS[at]?.tool === tool));
    }
  }

  /** Lines by keys, as in the reading room: arrows move an end, with Alt the beginning; M begins a further one,
   * Escape takes one away. */
  private pressed(event: KeyboardEvent): void {
    const size = this.view.filmSize();
    if (this.tool !== "measure" || size === null || event.target instanceof HTMLSelectElement) return;
    const lines = this.view.rulers();
    const inHand = this.view.rulerInHand();
    if (event.key === "Escape") {
      if (!this.view.giveUpLine()) this.view.setRulers(lines.filter((_, at) => at !== inHand));
      return this.tellLength();
    }
    if (event.key === "m") {
      this.view.setRulers(withLine(lines, startingLine(size, lines.length), null));
      return this.tellLength();
    }
    const arrow = ARROWS[event.key];
    if (arrow === undefined || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    const by = event.shiftKey ? FAR : 1;
    const delta = { x: arrow.x * by, y: arrow.y * by };
    const line = lines[inHand];
    const end = event.altKey ? "from" : "to";
    const moved = line ? withEndMoved(line, end, delta, size) : startingLine(size);
    this.view.setRulers(withLine(lines, moved, inHand), inHand);
    this.tellLength();
  }

  private tellDisplay({ label, inverted, zoom, preset }: Display): void {
    this.invert.setAttribute("aria-pressed", String(inverted));
    this.presets.value = preset === null ? "" : String(preset);
    this.corner.textContent = `${label}\nzoom ${Math.round(zoom * 100)} %`;
  }

  private tellLength(): void {
    this.measured.textContent = inWords(this.view.rulerLabels()) ?? "";
  }

  private async load(): Promise<void> {
    this.area.querySelector(".film-problem")?.remove();
    const waiting = made("div", "film-problem", "Loading the film…");
    waiting.setAttribute("role", "status");
    this.area.append(waiting);
    try {
      await this.view.showImage(this.film);
      this.offerPresets();
    } catch (error) {
      if (!(error instanceof WrongImage)) throw error;
      this.tell(error.message);
    } finally {
      waiting.remove();
    }
  }

  private offerPresets(): void {
    const own = made("option", "", "Own window");
    own.value = "";
    own.hidden = true;
    const options = this.view.presets().map((name, index) => {
      const option = made("option", "", name);
      option.value = String(index);
      option.title = aboutPreset(name);
      return option;
    });
    this.presets.replaceChildren(own, ...options);
    const display = this.view.display();
    if (display) this.tellDisplay(display);
  }

  private tell(sentence: string): void {
    const problem = made("div", "film-problem");
    problem.setAttribute("role", "alert");
    problem.append(
      made("strong", "", sentence),
      button("Load the film again", () => void this.load()),
    );
    problem.querySelector("button")?.classList.add("button", "primary");
    this.area.append(problem);
  }
}
