/** What a key, a click or a button can ask of the room. */
import type { DragTool } from "../viewer/film";
import type { Corner } from "../viewer/geometry";

export type Action =
  | { readonly kind: "points"; readonly points: number }
  | { readonly kind: "cannot-judge" }
  | { readonly kind: "verdict"; readonly verdict: "fits" | "wrong" }
  | { readonly kind: "redraw" }
  | { readonly kind: "done" }
  | { readonly kind: "walk"; readonly by: 1 | -1 }
  | { readonly kind: "next-region" }
  | { readonly kind: "swap" }
  | { readonly kind: "as-twin" }
  | { readonly kind: "next-disputed" }
  | { readonly kind: "all-regions" }
  | { readonly kind: "hide-regions" }
  | { readonly kind: "nudge"; readonly x: number; readonly y: number }
  | { readonly kind: "resize"; readonly corner: Corner; readonly x: number; readonly y: number }
  | { readonly kind: "add-region" }
  | { readonly kind: "delete-region" }
  | { readonly kind: "magnify" }
  | { readonly kind: "other-film" }
  | { readonly kind: "film-layout" }
  | { readonly kind: "link-films" }
  | { readonly kind: "tool"; readonly tool: DragTool }
  | { readonly kind: "zoom"; readonly factor: number }
  | { readonly kind: "invert" }
  | { readonly kind: "fit" }
  | { readonly kind: "actual-size" }
  | { readonly kind: "preset" }
  | { readonly kind: "note" }
  | { readonly kind: "edit" }
  | { readonly kind: "missed-finding" }
  | { readonly kind: "compare" }
  | { readonly kind: "change-of-mind" }
  | { readonly kind: "undo" }
  | { readonly kind: "redo" }
  | { readonly kind: "cancel" }
  | { readonly kind: "sign" }
  | { readonly kind: "scales" }
  | { readonly kind: "report-name" }
  | { readonly kind: "sheet" };
