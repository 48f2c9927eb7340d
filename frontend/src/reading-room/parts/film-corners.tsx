import { useLayoutEffect } from "preact/hooks";
import type { Display } from "../../viewer/film";

const SCALE_MM = 50;

/** What stands in a film's corners: what it is, how it is shown, and five centimetres of it. */
export function FilmCorners(props: {
  readonly lines: readonly string[];
  readonly spacing: number | null;
  readonly display: Display | null;
  /** After their words changed. */
  readonly onWritten?: () => void;
}) {
  const { lines, spacing, display, onWritten } = props;
  // Not at every rendering: what is drawn anew may be under the pointer.
  useLayoutEffect(() => onWritten?.(), [lines.join("\n"), display?.label.length]);
  const scalePx = spacing && display ? (SCALE_MM / spacing) * display.zoom : null;
  return (
    <>
      <div class="film-corner">
        {props.lines.map((line) => `${line}\n`)}
        {display?.label}
        {display?.inverted && " · inverted"}
      </div>
      <div class="film-corner right">
        {scalePx !== null && <span class="scale-bar" style={{ width: `${scalePx}px` }} />}
        {scalePx !== null ? "5 cm\n" : "spacing unknown\n"}
        {display && `zoom ${Math.round(display.zoom * 100)} %`}
      </div>
    </>
  );
}
