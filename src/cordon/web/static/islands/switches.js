// Which layers are shown. The address holds only what differs from how a map opens: `on` and `off`.

import { asked, put } from "../address.js";

/** Layers of craft, by what a row of a frame is. */
export const CRAFT = ["vessels", "land", "aircraft", "units", "sensors", "unknown"];
const OPEN = new Set([...CRAFT, "zones", "findings"]);

const list = (name) => asked(name).split(",").filter(Boolean);

export class Switches {
  #on;
  #listeners = [];

  constructor() {
    this.#on = new Set(OPEN);
    for (const name of list("on")) this.#on.add(name);
    for (const name of list("off")) this.#on.delete(name);
  }

  has(name) {
    return this.#on.has(name);
  }

  /** Switch a layer, tell the address and whoever listens. */
  set(name, on) {
    if (on === this.#on.has(name)) return;
    if (on) this.#on.add(name);
    else this.#on.delete(name);
    put({
      on: [...this.#on].filter((n) => !OPEN.has(n)).join(","),
      off: [...OPEN].filter((n) => !this.#on.has(n)).join(","),
    });
    for (const tell of this.#listeners) tell(name, on);
  }

  onChange(tell) {
    this.#listeners.push(tell);
  }

  /** Tie checkboxes (data-layer) and buttons (data-switch) of a page to the layers. */
  bind(root) {
    const boxes = [...root.querySelectorAll("input[data-layer]")];
    const buttons = [...root.querySelectorAll("button[data-switch]")];
    const show = () => {
      for (const box of boxes) box.checked = this.has(box.dataset.layer);
      for (const button of buttons) button.setAttribute("aria-pressed", String(this.has(button.dataset.switch)));
    };
    for (const box of boxes) box.addEventListener("change", () => this.set(box.dataset.layer, box.checked));
    for (const button of buttons) button.addEventListener("click", () => this.set(button.dataset.switch, !this.has(button.dataset.switch)));
    this.onChange(show);
    show();
  }
}
