// The timeline of a page is an SVG that the node has drawn; this makes it wider and narrower.
// Lanes are laid out in percent, so that a wider drawing is a closer look. The scroll container
// keeps the middle of what was looked at.

import { element, word } from "../words.js";

const STEPS = [1, 2, 4, 8, 16];

export function mount(place) {
  const scroll = place.querySelector(".scroll");
  const drawn = place.querySelector("svg.lanes");
  if (!scroll || !drawn) return;
  let step = 0;
  const set = (next) => {
    const middle = (scroll.scrollLeft + scroll.clientWidth / 2) / scroll.scrollWidth;
    step = Math.min(STEPS.length - 1, Math.max(0, next));
    drawn.style.inlineSize = `${100 * STEPS[step]}%`;
    scroll.scrollLeft = middle * scroll.scrollWidth - scroll.clientWidth / 2;
    closer.disabled = step === STEPS.length - 1;
    wider.disabled = step === 0;
    place.dataset.step = String(STEPS[step]);
  };
  const button = (name, act) => {
    const made = element("button", { type: "button", class: "button" }, word(name));
    made.addEventListener("click", act);
    return made;
  };
  const closer = button("zoom-in", () => set(step + 1));
  const wider = button("zoom-out", () => set(step - 1));
  place.prepend(element("div", { class: "row" }, closer, wider));
  set(0);
}
