// What is laid on the live map beside the craft: findings, cover, trails, and officers' overlays.

import { word } from "../words.js";
import { overlayPaints } from "./style.js";

const EMPTY = { type: "FeatureCollection", features: [] };
const MOST_TRAILS = 300;

async function json(url) {
  const answer = await fetch(url, { headers: { Accept: "application/geo+json, application/json" } });
  if (!answer.ok) throw new Error(`${answer.status} ${url}`);
  return answer.json();
}

/** A layer that is asked for anew every so often while it is on. */
export class Laid {
  #timer = 0;
  #busy = false;

  /** `load` resolves to the source's data; `layers` are those that are shown and hidden. */
  constructor(map, source, layers, everyMs, load) {
    Object.assign(this, { map, source, layers, everyMs, load });
    this.on = false;
    document.addEventListener("visibilitychange", () => { if (this.on) this.refresh(); });
  }

  switch(on) {
    this.on = on;
    for (const id of this.layers) if (this.map.getLayer(id)) this.map.setLayoutProperty(id, "visibility", on ? "visible" : "none");
    clearTimeout(this.#timer);
    if (on) this.refresh();
  }

  async refresh() {
    clearTimeout(this.#timer);
    if (!this.on || this.#busy || document.visibilityState === "hidden") return;
    this.#busy = true;
    try {
      this.map.getSource(this.source)?.setData(await this.load());
    } catch {
      // The node is away for a moment: what is drawn stays, and the next turn asks again.
    } finally {
      this.#busy = false;
      if (this.on && this.everyMs) this.#timer = setTimeout(() => this.refresh(), this.everyMs);
    }
  }
}

/** Findings as points; in a replay those of its span. */
export const findings = (map, url, span) => new Laid(map, "findings", ["findings"], 15_000, () => {
  const asked = span();
  return json(asked ? `${url}?since=${asked.since}&until=${asked.until}` : url);
});

/** Where the agency sees and where not; what is not seen says since when. */
export const cover = (map, url, clock) => new Laid(map, "cover", ["cover-fill", "cover-line", "cover-sensor", "cover-name"], 60_000, async () => {
  const told = await json(url);
  for (const { properties: p } of told.features) {
    if (p.layer === "uncovered") p.says = p.since ? word("no-cover-since", { name: p.name, at: clock(Date.parse(p.since)) }) : word("no-cover", { name: p.name });
    else if (p.layer === "sensor") p.says = p.name;
  }
  return told;
});

/** Breadcrumbs of everything in sight, at most 300. */
export const trails = (map, url, tracks, replayed) => new Laid(map, "trails", ["trails"], 15_000, () => {
  const drawn = replayed();
  if (drawn) return drawn;
  const indexes = inSight(map, tracks.frame);
  return indexes.length ? json(`${url}?i=${indexes.join(",")}`) : EMPTY;
});

/** Indexes of what a frame has in sight. */
export function inSight(map, frame, most = MOST_TRAILS) {
  if (!frame) return [];
  const box = map.getBounds();
  const found = [];
  for (let i = 0; i < frame.count && found.length < most; i++) {
    if (box.contains([frame.lon[i], frame.lat[i]])) found.push(frame.index[i]);
  }
  return found;
}

/** Lay an officer's overlay on the map, or take it off. */
export async function overlay(map, id, url, on) {
  const source = `overlay-${id}`;
  const parts = ["fill", "line", "point", "name"].map((part) => `${source}-${part}`);
  if (map.getSource(source)) {
    for (const layer of parts) map.setLayoutProperty(layer, "visibility", on ? "visible" : "none");
    return;
  }
  if (!on) return;
  map.addSource(source, { type: "geojson", data: await json(url) });
  const paint = overlayPaints();
  const area = ["in", ["geometry-type"], ["literal", ["Polygon", "MultiPolygon"]]];
  const spot = ["in", ["geometry-type"], ["literal", ["Point", "MultiPoint"]]];
  const add = (part, type, filter, layout = {}) => map.addLayer({ id: `${source}-${part}`, type, source, paint: paint[part], layout, ...(filter ? { filter } : {}) }, "trails");
  add("fill", "fill", area);
  add("line", "line", ["!", spot]);
  add("point", "circle", spot);
  add("name", "symbol", null, { "text-field": ["get", "name"], "text-size": 12, "text-offset": [0, 0.8], "text-anchor": "top", "text-optional": true });
}
