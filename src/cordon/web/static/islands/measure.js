// Measuring: the great circle between places, with the bearing and way of each leg and the sum.
// A click sets a place; so does Enter at the middle of the map, for those without a pointer.

import { distance as written } from "../coords.js";
import { element, word } from "../words.js";
import { arc, bearing, distance } from "./sphere.js";

export class Measure {
  #points = [];
  #on = false;

  constructor(map, place, button) {
    this.map = map;
    this.place = place;
    this.button = button;
    this.readout = element("div", { class: "readout", hidden: true, role: "status" });
    this.cross = element("span", { class: "cross", "aria-hidden": "true", hidden: true });
    place.append(this.readout, this.cross);
    button?.addEventListener("click", () => this.switch(!this.#on));
    document.addEventListener("cordon:forms", () => this.#show());
    document.addEventListener("keydown", (event) => this.#key(event));
  }

  /** Whether clicks measure now. */
  get on() {
    return this.#on;
  }

  switch(on) {
    this.#on = on;
    this.button?.setAttribute("aria-pressed", String(on));
    this.cross.hidden = !on;
    this.map.getCanvas().classList.toggle("measuring", on);
    if (!on) this.#points = [];
    else this.map.getCanvas().focus({ preventScroll: true });
    this.#show();
  }

  add({ lng, lat }) {
    this.#points.push([lng, lat]);
    this.#show();
  }

  #key(event) {
    if (!this.#on || event.defaultPrevented) return;
    if (event.key === "Escape") this.switch(false);
    else if (event.target !== this.map.getCanvas()) return;
    else if (event.key === "Enter") this.add(this.map.getCenter());
    else if (event.key === "Backspace") {
      this.#points.pop();
      this.#show();
    } else return;
    event.preventDefault();
  }

  #show() {
    const points = this.#points;
    const legs = points.slice(1).map((to, i) => ({ way: distance(points[i], to), course: bearing(points[i], to), to }));
    let sum = 0;
    const features = points.map((at, i) => {
      sum += i ? legs[i - 1].way : 0;
      const says = i ? `${written(legs[i - 1].way)} · ${legs[i - 1].course.toFixed(0).padStart(3, "0")}°` : "";
      return { type: "Feature", properties: { says }, geometry: { type: "Point", coordinates: at } };
    });
    for (const [i, leg] of legs.entries()) {
      features.push({ type: "Feature", properties: {}, geometry: { type: "LineString", coordinates: arc(points[i], leg.to) } });
    }
    this.map.getSource("measure")?.setData({ type: "FeatureCollection", features });
    this.place.dataset.measured = legs.length ? String(Math.round(sum)) : "";
    this.readout.hidden = !this.#on;
    if (!this.#on) return;
    const last = legs.at(-1);
    this.readout.replaceChildren(...(last
      ? [element("b", { class: "num" }, written(sum)), element("span", { class: "num quiet" }, `${last.course.toFixed(0).padStart(3, "0")}° · ${written(last.way)}`)]
      : [element("span", { class: "quiet" }, word("measure-how"))]));
  }
}
