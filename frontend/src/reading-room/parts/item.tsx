import type { ComponentChildren, JSX } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import { SCALE_BOX } from "./scale-box";

/** Something that can have the reader's focus: walking to it moves the browser's focus too, and the other way. */
export function Item(props: {
  readonly label: string;
  readonly isCurrent: boolean;
  readonly onEnter: () => void;
  readonly class: string;
  readonly children: ComponentChildren;
  readonly onHover?: (isOver: boolean) => void;
}): JSX.Element {
  const element = useRef<HTMLDivElement>(null);
  // Entering moves what lies below: under a pressed button it would carry the click's target away.
  const isPressed = useRef(false);
  // What was clicked within may have led here by itself, and further: a field that it opened must stay open.
  const now = useRef(props);
  now.current = props;
  const enter = (): void => {
    isPressed.current = false;
    // The click took it away, as that on "delete" of a missed finding.
    if (element.current === null) return;
    if (!now.current.isCurrent) now.current.onEnter();
  };
  useLayoutEffect(() => {
    const own = element.current;
    if (!props.isCurrent || own === null || own.contains(document.activeElement)) return;
    // What opened a field beside it, as the answer's rewrite, leaves the keys to that field.
    if (document.activeElement?.matches("textarea")) return;
    own.focus({ preventScroll: true });
    own.scrollIntoView({ block: "nearest" });
  }, [props.isCurrent]);
  // What opens in the item that has the focus must be seen: a field, the numbers of a region.
  const height = useRef(0);
  useLayoutEffect(() => {
    const own = element.current;
    if (own === null) return;
    const { offsetHeight } = own;
    if (props.isCurrent && height.current > 0 && offsetHeight > height.current) {
      own.scrollIntoView({ block: "nearest" });
    }
    height.current = offsetHeight;
  });
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset cannot take the focus
    // biome-ignore lint/a11y/useKeyWithClickEvents: the click only moves the focus, as Tab does
    <div
      ref={element}
      role="group"
      aria-label={props.label}
      aria-describedby={props.isCurrent ? SCALE_BOX : undefined}
      aria-current={props.isCurrent ? "true" : undefined}
      tabIndex={-1}
      class={`${props.class}${props.isCurrent ? " current" : ""}`}
      onFocusIn={(event) => {
        // An item within an item: the inner one has the focus.
        event.stopPropagation();
        if (!isPressed.current) enter();
      }}
      onPointerDown={(event) => {
        event.stopPropagation();
        isPressed.current = true;
      }}
      onPointerLeave={() => {
        if (isPressed.current) enter();
      }}
      onClick={(event) => {
        event.stopPropagation();
        // Drawn anew within the click, a radio button would fall back to what it was before it tells its change.
        setTimeout(enter);
        // After a click the arrow keys should move the region, not the rating that was clicked.
        const { target } = event;
        const isText =
          target instanceof HTMLElement && target.closest("textarea, input[type=number], button");
        if (event.detail > 0 && !isText) element.current?.focus({ preventScroll: true });
      }}
      onMouseEnter={() => props.onHover?.(true)}
      onMouseLeave={() => props.onHover?.(false)}
    >
      {props.children}
    </div>
  );
}
