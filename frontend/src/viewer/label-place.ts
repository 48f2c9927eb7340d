/** Where a region's label stands: at its region, on the screen, on no other label and on no words in a corner. */
import type { Box, Size } from "./geometry";

export type LabelPlace = "above" | "below" | "below right";

/** Where a label is already. Screen pixels, from its upper left corner. */
export interface Plate {
  readonly x: number;
  readonly y: number;
  readonly width: number;
}

/** Of a label, screen pixels. */
export interface LabelSize {
  readonly width: number;
  readonly height: number;
}

interface Corner {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

/** Where labels may lie: on the screen, above what stands in its lower corners. */
export interface LabelRoom extends Size {
  readonly corners: readonly Corner[];
}

/** So many rows are tried above the wanted one, each as high as a label. */
const NUM_ROWS = 5;

/** Where a part of `box` is on the screen, its label is too; beside those that are `taken`, and where there is no
 * place beside them, above. The label is put among the taken ones. */
export function placeOf(
  { width, height }: LabelSize,
  box: Box,
  screen: LabelRoom,
  place: LabelPlace,
  taken: Plate[],
): Plate {
  const above = box.y_min >= height + 2 ? box.y_min - height : box.y_min;
  const below = Math.max(Math.min(box.y_max, screen.height - height), box.y_min);
  const isRight = place.endsWith("right");
  const wanted = isRight ? box.x_max - width : box.x_min;
  const wantedX = Math.min(
    Math.max(wanted, Math.min(0, box.x_max - width)),
    Math.max(screen.width - width, 0),
  );
  const wantedY = place.startsWith("above") ? above : below;
  const inCorner = (x: number, y: number): Corner[] =>
    screen.corners.filter(
      ({ left, right, top, bottom }) => left < x + width && x < right && top < y + height && y < bottom,
    );
  const firstY = Math.min(wantedY, ...inCorner(wantedX, wantedY).map(({ top }) => top - height));
  const beside = (y: number): Plate => {
    const at = { x: wantedX, y, width };
    const hit = (): Plate | undefined =>
      taken.find(
        (other) => Math.abs(other.y - y) < height && at.x < other.x + other.width && other.x < at.x + width,
      );
    for (let other = hit(); other !== undefined; other = hit()) {
      at.x = isRight ? other.x - width : other.x + other.width;
    }
    return at;
  };
  const rows = Array.from({ length: NUM_ROWS }, (_, row) => beside(firstY - row * height));
  const isSeen = ({ x, y }: Plate): boolean =>
    x + Math.min(width, screen.width) <= screen.width &&
    (x >= 0 || x === wantedX) &&
    y >= 0 &&
    inCorner(x, y).length === 0;
  const plate = rows.find(isSeen) ?? (rows[0] as Plate);
  taken.push(plate);
  return plate;
}
