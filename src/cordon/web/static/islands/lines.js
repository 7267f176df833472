// Ways that a page asks for as GeoJSON: of a vessel's history, or of what stood around a finding.
// A line has `role` (subject or other), `name`, `subject` and `times`; its end gets a point and a
// name, and pointing at it tells the nearest report.

import { place as written } from "../coords.js";
import { element, word } from "../words.js";
import { bounds } from "./style.js";

export async function lay(map, maplibre, url, { fit, rtl, clock }) {
  const answer = await fetch(url, { headers: { Accept: "application/geo+json, application/json" } });
  if (!answer.ok) throw new Error(`${answer.status} ${url}`);
  const told = await answer.json();
  const features = [];
  for (const feature of told.features) {
    if (!feature.geometry) continue;
    features.push(feature);
    const p = feature.properties;
    const line = feature.geometry.type === "LineString" ? feature.geometry.coordinates : [feature.geometry.coordinates];
    const label = p.role === "subject" ? p.name || p.subject : "";
    features.push({ type: "Feature", properties: { ...p, label }, geometry: { type: "Point", coordinates: line.at(-1) } });
  }
  map.getSource("lines").setData({ type: "FeatureCollection", features });
  const own = features.filter((f) => f.properties.role === "subject");
  if (own.length && fit) fit(around(own), { animate: false });
  const popup = new maplibre.Popup({ closeButton: true, maxWidth: "260px", offset: 8 });
  map.on("click", (event) => {
    const near = nearest(map, told.features, event.point);
    if (!near) return;
    const { feature, at, way } = near;
    const { subject, name, times, speeds } = feature.properties;
    const rows = [["heard", times?.[at] ? clock(Date.parse(times[at])) : "–"], ["position", written(way[at][1], way[at][0])]];
    if (speeds?.[at] !== undefined && speeds?.[at] !== null) rows.push(["speed", speeds[at].toFixed(1)]);
    const list = element("dl", {}, ...rows.flatMap(([key, text]) => [element("dt", {}, word(key)), element("dd", { class: "num" }, text)]));
    const box = element("div", { dir: rtl ? "rtl" : "ltr" }, element("h2", { dir: "auto" }, name || subject), list);
    if (feature.properties.role === "other") box.append(element("a", { href: `/picture/vessels/${encodeURIComponent(subject)}` }, word("open")));
    popup.setLngLat(way[at]).setDOMContent(box).addTo(map);
  });
  return told;
}

/** The box of several features; of a single place one with some room. */
export function around(features) {
  const boxes = features.map((f) => bounds(f.geometry));
  const box = [0, 1].map((i) => Math.min(...boxes.map((b) => b[i]))).concat([2, 3].map((i) => Math.max(...boxes.map((b) => b[i]))));
  const least = 0.02;
  if (box[2] - box[0] < least) { box[0] -= least; box[2] += least; }
  if (box[3] - box[1] < least) { box[1] -= least; box[3] += least; }
  return box;
}

function nearest(map, features, point, within = 16) {
  let best = within ** 2;
  let found = null;
  for (const feature of features) {
    if (!feature.geometry) continue;
    const way = feature.geometry.type === "LineString" ? feature.geometry.coordinates : [feature.geometry.coordinates];
    way.forEach((at, i) => {
      const { x, y } = map.project(at);
      const d = (x - point.x) ** 2 + (y - point.y) ** 2;
      if (d < best) {
        best = d;
        found = { feature, at: i, way };
      }
    });
  }
  return found;
}
