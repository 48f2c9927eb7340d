/** The one engine of Cornerstone3D that draws every film of a page. */
import { Enums, getConfiguration, init, RenderingEngine, type Types } from "@cornerstonejs/core";

/** A browser has few WebGL contexts, and takes the oldest away: all films share two, however many are open. */
const NUM_CONTEXTS = 2;

let engine: RenderingEngine | null = null;

function engineForAll(): RenderingEngine {
  if (engine === null) {
    const usual = getConfiguration();
    init({ ...usual, rendering: { ...usual.rendering, webGlContextCount: NUM_CONTEXTS } });
    engine = new RenderingEngine("films");
  }
  return engine;
}

/** A black viewport that fills `element`, under a name that no other has. */
export function openViewport(element: HTMLDivElement, name: string): void {
  const defaultOptions: Types.ViewportInputOptions = { background: [0, 0, 0] };
  engineForAll().enableElement({ viewportId: name, type: Enums.ViewportType.STACK, element, defaultOptions });
}

export function viewportOf(name: string): Types.IStackViewport {
  return engineForAll().getViewport(name) as Types.IStackViewport;
}

export function closeViewport(name: string): void {
  engineForAll().disableElement(name);
}

/** After an element got another size: each film stays where it is in its own. */
export function resizeViewports(): void {
  engineForAll().resize(true, true);
}

/** Called whenever the viewport in `element` was drawn. Returns the function that stops it. */
export function onDrawn(element: HTMLDivElement, listener: () => void): () => void {
  element.addEventListener(Enums.Events.IMAGE_RENDERED, listener);
  return () => element.removeEventListener(Enums.Events.IMAGE_RENDERED, listener);
}
