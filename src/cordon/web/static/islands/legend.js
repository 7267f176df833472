// What the map's shapes, colours and rings mean.

import { element, word } from "../words.js";

const SVG = "http://www.w3.org/2000/svg";
const SHAPES = {
  arrow: "M7 1l4 12-4-2.5L3 13z", dot: "M7 3.5a3.5 3.5 0 1 0 .01 0z", ring: "M7 1.5a5.5 5.5 0 1 0 .01 0z",
};

function sign(kind, shape) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 14 14");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", SHAPES[shape]);
  path.setAttribute("class", `kind-${kind}`);
  svg.append(path);
  return svg;
}

export function legend() {
  const entry = (kind, shape, text) => element("li", {}, sign(kind, shape), word(text));
  const kinds = [1, 2, 3, 4, 0, 5, 6].map((k) => entry(k, "arrow", `kind-${k}`));
  const more = [entry(0, "arrow", "moving"), entry(0, "dot", "still"), entry("ring", "ring", "found"), entry("listed", "ring", "listed"), element("li", { class: "faint" }, word("fades"))];
  return element("details", { class: "legend" }, element("summary", { class: "button" }, word("legend")), element("ul", {}, ...kinds, ...more));
}
