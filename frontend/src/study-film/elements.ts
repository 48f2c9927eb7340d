/** Small parts of a page that are made by script. */

export function made<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  className: string,
  text = "",
): HTMLElementTagNameMap[Name] {
  const element = document.createElement(name);
  element.className = className;
  element.textContent = text;
  return element;
}

export function button(text: string, press: (self: HTMLButtonElement) => void): HTMLButtonElement {
  const self = made("button", "", text);
  self.type = "button";
  self.addEventListener("click", () => press(self));
  return self;
}

/** A button that is on or off. */
export function toggle(text: string, turn: (isOn: boolean) => void): HTMLButtonElement {
  const self = button(text, () => {
    const isOn = self.getAttribute("aria-pressed") !== "true";
    self.setAttribute("aria-pressed", String(isOn));
    turn(isOn);
  });
  self.setAttribute("aria-pressed", "false");
  return self;
}
