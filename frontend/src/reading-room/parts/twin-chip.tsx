/** Says of a step or an answer that the other output has it in the same words, and rates it as there. */

import type { Side } from "../../api/reading";
import { otherSide } from "../place";
import { Cap } from "./cap";

export function TwinChip(props: {
  /** On which side the chip stands. */
  readonly side: Side;
  /** Of the twin among the other output's steps; null for its answer. */
  readonly position: number | null;
  /** "step 2 of output A". */
  readonly name: string;
  readonly canRate: boolean;
  readonly onRate: () => void;
}) {
  const { side, position, name } = props;
  const short = `= ${otherSide(side).toUpperCase()}${position === null ? "" : ` ${position}`}`;
  const same = `The same words as ${name}`;
  if (!props.canRate) {
    return (
      <span class="chip" title={`${same}.`}>
        {short}
      </span>
    );
  }
  return (
    <button
      type="button"
      class="chip twin"
      title={`${same}. Rates it as there.`}
      aria-label={`${short}: ${same[0]?.toLowerCase()}${same.slice(1)}, rate it as there`}
      onClick={props.onRate}
    >
      {short} <Cap of="as-twin" isApart />
    </button>
  );
}
