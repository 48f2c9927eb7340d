/** Draws regions over the film as outlines in SVG, with grips on the one that may be moved. */
import { dashOf, type RegionMark } from "./film";
import { type Affine, type Box, boxToScreen, type Grip, type Point, type Size, toScreen } from "./geometry";
import { type LabelPlace, type LabelRoom, type Plate, placeOf } from "./label-place";
import type { Line, RulerEnd } from "./ruler";

const SVG = "http://www.w3.org/2000/svg";
const GRIP_PX = 10;
const GRIP_TARGET_PX = 24;

const GRIPS: readonly { grip: Grip; x: number; y: number }[] = [
  { grip: "nw", x: 0, y: 0 },
  { grip: "n", x: 0.5, y: 0 },
  { grip: "ne", x: 1, y: 0 },
  { grip: "e", x: 1, y: 0.5 },
  { grip: "se", x: 1, y: 1 },
  { grip: "s", x: 0.5, y: 1 },
  { grip: "sw", x: 0, y: 1 },
  { grip: "w", x: 0, y: 0.5 },
];

function element<Name extends keyof SVGElementTagNameMap>(
  name: Name,
  attributes: Record<string, string | number>,
): SVGElementTagNameMap[Name] {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value));
  return made;
}

const rectangle = (box: Box, attributes: Record<string, string | number>): SVGRectElement =>
  element("rect", {
    x: box.x_min,
    y: box.y_min,
    width: Math.max(box.x_max - box.x_min, 0),
    height: Math.max(box.y_max - box.y_min, 0),
    ...attributes,
  });

export interface ShownRuler {
  readonly line: Line;
  readonly label: string;
  /** Keys move it, and a click takes it away. */
  readonly isInHand: boolean;
  /** Not there yet: nothing of it can be taken by the pointer. */
  readonly isSuggested: boolean;
}

export class RegionOverlay {
  readonly svg: SVGSVGElement;

  constructor(parent: HTMLElement) {
    this.svg = element("svg", { class: "regions", "aria-hidden": "true" });
    parent.append(this.svg);
  }

  clear(): void {
    this.svg.replaceChildren();
  }

  draw(marks: readonly RegionMark[], rulers: readonly ShownRuler[], affine: Affine): void {
    const inOrder = [...marks].sort((a, b) => Number(a.focused) - Number(b.focused));
    const earlier = inOrder.filter(({ reader }) => reader !== null);
    const own = inOrder.filter(({ reader }) => reader === null);
    const isOfBoth = own.some(({ dashed }) => dashed) && own.some(({ dashed }) => !dashed);
    const taken: Plate[] = [];
    const room = { ...this.size(), corners: this.corners() };
    const put = (words: string, box: Box, place: LabelPlace): SVGElement[] =>
      label(words, boxToScreen(box, affine), room, this.scale(), place, taken);
    // The one in the focus stands first: the others give way to it.
    const labels = [...own].reverse().map((mark) => {
      const words = mark.flawed ? `${mark.label} !` : mark.label;
      return labelGroup(mark, put(words, mark.box, isOfBoth && mark.dashed ? "below right" : "above"));
    });
    this.svg.replaceChildren(
      ...earlier.map((mark) => earlierOutline(mark, affine)),
      ...own.map((mark) => outlineGroup(mark, affine)),
      // No outline goes through a label.
      ...labels.reverse(),
      ...earlier.map((mark) => {
        const place = (mark.reader ?? 1) % 2 === 1 ? "below" : "below right";
        return earlierGroup(mark, put(mark.label, mark.box, place));
      }),
      // A label that lies over a corner takes no grip away.
      ...own.filter(({ adjustable }) => adjustable).map((mark) => gripGroup(mark, affine)),
      ...rulers.map((ruler, at) => rulerGroup(ruler, at, rulers, affine)),
    );
  }

  private size(): Size {
    return { width: this.svg.clientWidth, height: this.svg.clientHeight };
  }

  /** As large as the words of the page: they grow on large screens, which stand further away. */
  private scale(): number {
    return Number(getComputedStyle(this.svg).getPropertyValue("--words")) || 1;
  }

  /** What stands in the film's corners, and is read there. */
  private corners(): DOMRect[] {
    const { left, top } = this.svg.getBoundingClientRect();
    const corners = this.svg.closest(".film-area")?.querySelectorAll(".film-corner") ?? [];
    return [...corners].map((corner) => {
      const { x, y, width, height } = corner.getBoundingClientRect();
      return new DOMRect(x - left, y - top, width, height);
    });
  }
}

function labelGroup(mark: RegionMark, parts: readonly SVGElement[]): SVGGElement {
  const group = element("g", {
    class: `region s${mark.colour}${mark.flawed ? " flawed" : ""}`,
    "data-label-of": mark.uid,
  });
  group.append(...parts);
  return group;
}

function outlineGroup(mark: RegionMark, affine: Affine): SVGGElement {
  const box = boxToScreen(mark.box, affine);
  const classes = ["region", `s${mark.colour}`];
  if (mark.focused) classes.push("focused");
  if (mark.dashed) classes.push("dashed");
  if (mark.wrong) classes.push("wrong");
  if (mark.flawed) classes.push("flawed");
  const group = element("g", { class: classes.join(" "), "data-region": mark.uid });
  if (mark.original) {
    group.append(rectangle(boxToScreen(mark.original, affine), { class: "original" }));
  }
  group.append(rectangle(box, { class: "halo" }), rectangle(box, { class: "outline" }));
  if (mark.wrong) group.append(...crossOver(box));
  // A wide unseen edge: the outline alone is too thin to hit.
  const moves = mark.adjustable ? { "data-grip": "move" } : {};
  group.append(rectangle(box, { class: "edge", ...moves }));
  return group;
}

function earlierOutline(mark: RegionMark, affine: Affine): SVGGElement {
  const box = boxToScreen(mark.box, affine);
  return earlierGroup(mark, [rectangle(box, { class: "halo" }), rectangle(box, { class: "outline" })]);
}

/** Nothing of an earlier reader's takes a click: what lies below is the reader's own. */
function earlierGroup({ label, colour, reader }: RegionMark, parts: readonly SVGElement[]): SVGGElement {
  const classes = `region earlier-region s${colour} reader-${dashOf(reader ?? 1)}`;
  const group = element("g", { class: classes, "data-earlier": label });
  group.append(...parts);
  return group;
}

function crossOver(box: Box): SVGElement[] {
  return [
    element("line", { x1: box.x_min, y1: box.y_min, x2: box.x_max, y2: box.y_max, class: "outline" }),
    element("line", { x1: box.x_min, y1: box.y_max, x2: box.x_max, y2: box.y_min, class: "outline" }),
  ];
}

function gripGroup(mark: RegionMark, affine: Affine): SVGGElement {
  const classes = ["region", `s${mark.colour}`];
  if (mark.focused) classes.push("focused");
  const group = element("g", { class: classes.join(" "), "data-grips-of": mark.uid });
  group.append(...gripsOf(boxToScreen(mark.box, affine)));
  return group;
}

function gripsOf(box: Box): SVGElement[] {
  return GRIPS.flatMap(({ grip, x, y }) => {
    const cx = box.x_min + x * (box.x_max - box.x_min);
    const cy = box.y_min + y * (box.y_max - box.y_min);
    const square = (side: number, attributes: Record<string, string>): SVGRectElement =>
      element("rect", { x: cx - side / 2, y: cy - side / 2, width: side, height: side, ...attributes });
    return [
      square(GRIP_PX, { class: "grip" }),
      square(GRIP_TARGET_PX, { class: `grip-target ${grip}`, "data-grip": grip }),
    ];
  });
}

function label(
  text: string,
  box: Box,
  screen: LabelRoom,
  scale: number,
  place: LabelPlace,
  taken: Plate[],
): SVGElement[] {
  const width = (10 + 9 * text.length) * scale;
  const height = 22 * scale;
  const { x, y } = placeOf({ width, height }, box, screen, place, taken);
  const plate = element("rect", { x, y, width, height, class: "plate" });
  const words = element("text", { x: x + width / 2, y: y + 16 * scale, class: "plate-text" });
  words.textContent = text;
  return [plate, words];
}

function rulerGroup(
  { line, label: words, isInHand, isSuggested }: ShownRuler,
  at: number,
  all: readonly ShownRuler[],
  affine: Affine,
): SVGGElement {
  const from = toScreen(line.from, affine);
  const to = toScreen(line.to, affine);
  const ends = { x1: from.x, y1: from.y, x2: to.x, y2: to.y };
  const classes = ["ruler"];
  if (isInHand && all.length > 1) classes.push("in-hand");
  if (isSuggested) classes.push("suggested");
  const group = element("g", { class: classes.join(" ") });
  group.append(element("line", { ...ends, class: "halo" }), element("line", { ...ends, class: "outline" }));
  if (!isSuggested) group.append(...rulerEnd("from", at, from, to), ...rulerEnd("to", at, to, from));
  const middle = middleOnScreen(line, affine);
  const isCrowded = all
    .slice(0, at)
    .some(({ line: other }) => liesNear(middleOnScreen(other, affine), middle));
  // Below the sign that takes the line off.
  const text = element("text", { x: middle.x, y: middle.y + (isCrowded ? 40 : -10), class: "ruler-text" });
  text.textContent = words;
  group.append(text);
  if (isInHand) group.append(...rulerOff(at, middle));
  return group;
}

function middleOnScreen({ from, to }: ShownRuler["line"], affine: Affine): Point {
  return toScreen({ x: (from.x + to.x) / 2, y: (from.y + to.y) / 2 }, affine);
}

/** So near that words above both would lie on each other, as of a heart and its thorax. */
function liesNear(one: Point, other: Point): boolean {
  return Math.abs(one.x - other.x) < 160 && Math.abs(one.y - other.y) < 24;
}

/** A tick across the line's end, and around it what a finger can hit. */
function rulerEnd(end: RulerEnd, line: number, at: Point, other: Point): SVGElement[] {
  const length = Math.hypot(at.x - other.x, at.y - other.y) || 1;
  const dx = ((at.y - other.y) / length) * (GRIP_PX / 2);
  const dy = ((other.x - at.x) / length) * (GRIP_PX / 2);
  const half = GRIP_TARGET_PX / 2;
  return [
    element("line", { x1: at.x - dx, y1: at.y - dy, x2: at.x + dx, y2: at.y + dy, class: "outline" }),
    element("rect", {
      x: at.x - half,
      y: at.y - half,
      width: GRIP_TARGET_PX,
      height: GRIP_TARGET_PX,
      class: "grip-target",
      "data-ruler": end,
      "data-line": line,
    }),
  ];
}

/** Below the middle of a line: a click takes it away. */
function rulerOff(line: number, { x, y }: Point): SVGElement[] {
  const half = GRIP_TARGET_PX / 2;
  const sign = element("text", { x, y: y + 10 + half, class: "ruler-off" });
  sign.textContent = "×";
  const target = element("rect", {
    x: x - half,
    y: y + 6,
    width: GRIP_TARGET_PX,
    height: GRIP_TARGET_PX,
    class: "grip-target ruler-off-target",
    "data-ruler-off": "",
    "data-line": line,
  });
  return [sign, target];
}
