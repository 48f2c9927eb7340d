/** Which card an arrow leads to. */

/** The middle of a card. */
export interface Box {
  readonly x: number;
  readonly y: number;
}

/** By their place: left and right in reading order, up and down to the nearest in the next row; the same one where
 * there is none. */
export function neighbour(boxes: readonly Box[], at: number, to: "left" | "right" | "up" | "down"): number {
  const from = boxes[at];
  if (from === undefined) return at;
  if (to === "left") return Math.max(at - 1, 0);
  if (to === "right") return Math.min(at + 1, boxes.length - 1);
  const way = to === "down" ? 1 : -1;
  let best = at;
  let least = Number.POSITIVE_INFINITY;
  boxes.forEach((box, index) => {
    const ahead = (box.y - from.y) * way;
    if (ahead < 1) return;
    // A row apart counts more than a column apart.
    const cost = ahead * 4 + Math.abs(box.x - from.x);
    if (cost < least) {
      least = cost;
      best = index;
    }
  });
  return best;
}
