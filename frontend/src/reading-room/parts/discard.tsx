import { useRef, useState } from "preact/hooks";

/** Forgets by a second press alone, after what is lost was said, and by no double click: nothing brings it back. */
export function Discard(props: {
  readonly number: number;
  /** What follows it, as " and go to the worklist". */
  readonly after?: string;
  readonly isPrimary?: boolean;
  readonly lost: () => Promise<string>;
  readonly onDiscard: () => Promise<void>;
}) {
  const { number, after = "" } = props;
  const [asked, ask] = useState<string | null>(null);
  // Left meanwhile, it is not asked any more.
  const turn = useRef(0);
  const stop = (): void => {
    turn.current += 1;
    ask(null);
  };
  const press = async (): Promise<void> => {
    if (asked !== null) return props.onDiscard();
    const { current } = turn;
    const lost = await props.lost();
    if (current === turn.current) ask(lost);
  };
  const them = number === 1 ? "it" : "them";
  return (
    <>
      <span role="status" class="lost">
        {asked === null ? null : `This loses ${asked} for good.`}
      </span>
      <button
        type="button"
        class={props.isPrimary ? "button primary" : "button quiet"}
        onClick={({ detail }) => {
          if (detail < 2) void press();
        }}
        onBlur={stop}
      >
        Discard {them}
        {asked === null ? after : ` for good${after}`}
      </button>
    </>
  );
}
