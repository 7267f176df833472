// Drawing a zone: on the map by pointer or keyboard, or as numbers in the list beside it. What is
// done stands on a stack and can be taken back until the zone is sent. Options beside map.js's:
//   data-feature   the zone's feature to begin with; data-refused  {part, ring, vertex} from 1
// The form beside the map holds its fields (data-field), a hidden `feature`, and the tools.

import { place as written } from "../coords.js";
import { element, notice, word } from "../words.js";
import { canDraw, chart, keepColours } from "./basemap.js";
import { Stack, featureOf, field, insert, middles, move, remove, reshape, stateOf } from "./drawing.js";
import { around } from "./lines.js";
import { ring as circle } from "./sphere.js";
import { silent } from "./status.js";
import { token } from "./style.js";

const MOST_LISTED = 300;
const NUMBERS = /^-?\d+(\.\d+)?$/;

export async function mount(place, options) {
  const form = document.querySelector("form[data-draw]");
  const begun = options.feature ? JSON.parse(options.feature) : null;
  const stack = new Stack(stateOf(begun));
  const refused = options.refused ? JSON.parse(options.refused) : null;
  const where = { part: (refused?.part ?? 1) - 1, ring: (refused?.ring ?? 1) - 1 };
  if (!stack.state.parts[where.part]?.[where.ring]) Object.assign(where, { part: 0, ring: 0 });
  let selected = refused ? refused.vertex - 1 : -1;
  let sent = false;
  silent(place);

  const panel = bindForm(form, stack, () => show());
  const map = canDraw() ? await board(place, options, { stack, where, act, select: (at, of) => { selected = at; Object.assign(where, of); show(); }, at: () => selected }) : null;
  if (!map) place.append(element("p", { class: "banner notice" }, word("no-webgl-draw")));

  function act(next, keep = selected) {
    stack.do(next);
    selected = keep;
    show();
  }

  function show() {
    const { state } = stack;
    const ring = state.parts[where.part]?.[where.ring];
    if (!ring) Object.assign(where, { part: 0, ring: 0 });
    if (selected >= (state.parts[where.part][where.ring].length)) selected = -1;
    map?.show(state, where, selected);
    panel.show(where, selected);
    place.dataset.vertices = String(state.parts.flat(2).length);
    place.dataset.selected = String(selected);
    form.elements.feature.value = JSON.stringify(featureOf(state));
  }

  form.addEventListener("vertex", ({ detail }) => {
    const ring = stack.state.parts[where.part][where.ring];
    if (detail.remove) act(remove(stack.state, where, detail.at), -1);
    else if (detail.select) { selected = detail.at; show(); map?.near(ring[detail.at]); }
    else act(move(where, detail.at, ring[detail.at], detail.to), detail.at);
  });
  for (const button of form.querySelectorAll("[data-do]")) {
    button.addEventListener("click", () => {
      if (button.dataset.do === "undo") stack.undo();
      else if (button.dataset.do === "redo") stack.redo();
      else if (selected >= 0) return act(remove(stack.state, where, selected), -1);
      panel.fill();
      return show();
    });
  }
  document.addEventListener("keydown", (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.altKey || event.target.closest?.("input, textarea, select")) return;
    const key = event.key.toLowerCase();
    if (key !== "z" && key !== "y") return;
    event.preventDefault();
    if (key === "y" || event.shiftKey) stack.redo();
    else stack.undo();
    panel.fill();
    show();
  });
  form.addEventListener("submit", (event) => {
    if (!featureOf(stack.state).geometry) {
      event.preventDefault();
      notice(word("draw-nothing"), "notice");
    } else sent = true;
  });
  addEventListener("beforeunload", (event) => { if (stack.changed && !sent) event.preventDefault(); });
  if (refused && map) map.near(stack.state.parts[where.part][where.ring][selected]);
  show();
  place.dataset.ready = "";
}

/** The form's fields and its list of vertices, tied to the stack. */
function bindForm(form, stack, changed) {
  const fields = [...form.querySelectorAll("[data-field]")];
  const list = form.querySelector("[data-vertices]");
  const value = (input) => {
    const text = input.value.trim();
    if (input.dataset.field === "watch") return text === "" ? "" : text === "true";
    if (input.dataset.field === "allowed") return text === "" ? "" : text.split(/[\s,]+/);
    return input.dataset.number !== undefined && NUMBERS.test(text) ? Number(text) : text;
  };
  const shown = (input) => {
    const told = input.dataset.field === "shape" ? stack.state.shape : stack.state.properties[input.dataset.field];
    return Array.isArray(told) ? told.join(", ") : told === undefined || told === null ? "" : String(told);
  };
  const fill = () => { for (const input of fields) if (document.activeElement !== input || input.dataset.field === "shape") input.value = shown(input); };
  for (const input of fields) {
    input.addEventListener("input", () => {
      if (input.dataset.field === "shape") stack.do(reshape(stack.state, input.value));
      else stack.do(field(input.dataset.field, stack.state.properties[input.dataset.field], value(input)));
      changed();
    });
  }
  fill();
  return {
    fill,
    show({ part, ring }, selected) {
      form.querySelector('[data-do="undo"]').disabled = !stack.canUndo;
      form.querySelector('[data-do="redo"]').disabled = !stack.canRedo;
      form.querySelector('[data-do="remove"]').disabled = selected < 0;
      form.dataset.shape = stack.state.shape;
      const vertices = stack.state.parts[part][ring];
      form.querySelector("[data-count]").textContent = word("draw-count", { n: stack.state.parts.flat(2).length });
      if (list.contains(document.activeElement) && list.childElementCount === Math.min(vertices.length, MOST_LISTED)) return;
      list.replaceChildren(...vertices.slice(0, MOST_LISTED).map((at, i) => vertexLine(form, at, i, i === selected)));
    },
  };
}

function vertexLine(form, [lon, lat], i, selected) {
  const tell = (detail) => form.dispatchEvent(new CustomEvent("vertex", { detail: { at: i, ...detail } }));
  const number = (name, value, most) => {
    const input = element("input", { type: "text", inputmode: "decimal", value: value.toFixed(5), dir: "ltr", "aria-label": word(name, { n: i + 1 }), size: 10 });
    input.addEventListener("focus", () => tell({ select: true }));
    input.addEventListener("change", () => {
      const told = Number(input.value);
      const wrong = !NUMBERS.test(input.value.trim()) || Math.abs(told) > most;
      input.toggleAttribute("aria-invalid", wrong);
      if (!wrong) tell({ to: most === 90 ? [lon, told] : [told, lat] });
    });
    return input;
  };
  const drop = element("button", { type: "button", class: "bare", "aria-label": word("draw-remove", { n: i + 1 }) }, "×");
  drop.addEventListener("click", () => tell({ remove: true }));
  return element("li", selected ? { "data-selected": true } : {}, number("draw-lat", lat, 90), number("draw-lon", lon, 180), drop);
}

/** The map on which it is drawn. */
async function board(place, options, { stack, where, act, select, at }) {
  const made = await chart(place, options);
  const { map } = made;
  await new Promise((resolve) => { map.once("load", resolve); });
  map.addSource("draw", { type: "geojson", data: { type: "FeatureCollection", features: [] } });
  const of = (role) => ["==", ["get", "role"], role];
  const paint = () => ({
    "draw-fill": { "fill-color": token("accent"), "fill-opacity": 0.14 },
    "draw-line": { "line-color": token("accent"), "line-width": 2 },
    "draw-middle": { "circle-radius": 4, "circle-color": token("sea"), "circle-stroke-width": 1.5, "circle-stroke-color": token("accent") },
    "draw-vertex": {
      "circle-radius": ["case", ["get", "selected"], 8, 6], "circle-stroke-width": 2, "circle-stroke-color": token("sea"),
      "circle-color": ["case", ["get", "selected"], token("serious"), token("accent")],
    },
  });
  const p = paint();
  map.addLayer({ id: "draw-fill", type: "fill", source: "draw", paint: p["draw-fill"], filter: of("area") });
  map.addLayer({ id: "draw-line", type: "line", source: "draw", paint: p["draw-line"], filter: ["in", ["get", "role"], ["literal", ["area", "line"]]] });
  map.addLayer({ id: "draw-middle", type: "circle", source: "draw", paint: p["draw-middle"], filter: of("middle") });
  map.addLayer({ id: "draw-vertex", type: "circle", source: "draw", paint: p["draw-vertex"], filter: of("vertex") });
  keepColours(map, null);
  new MutationObserver(() => {
    for (const [id, values] of Object.entries(paint())) for (const [name, value] of Object.entries(values)) map.setPaintProperty(id, name, value);
  }).observe(document.documentElement, { attributeFilter: ["data-theme"] });
  if (stack.state.parts.flat(2).length) made.fit(around([featureOf(stack.state)]), { animate: false });

  const hit = (point, layers) => map.queryRenderedFeatures([[point.x - 6, point.y - 6], [point.x + 6, point.y + 6]], { layers })[0]?.properties;
  const ring = () => stack.state.parts[where.part][where.ring];
  let dragged = null;
  const begin = (event) => {
    const found = hit(event.point, ["draw-vertex"]) ?? null;
    if (!found || event.originalEvent.touches?.length > 1) return;
    event.preventDefault();
    select(found.at, { part: found.part, ring: found.ring });
    dragged = { at: found.at, from: [...ring()[found.at]], to: null };
    map.dragPan.disable();
  };
  const go = ({ lngLat }) => {
    if (!dragged) return;
    dragged.to = [lngLat.lng, lngLat.lat];
    ring()[dragged.at] = dragged.to;
    show(stack.state, where, dragged.at);
  };
  const end = () => {
    if (!dragged) return;
    const { at: i, from, to } = dragged;
    dragged = null;
    map.dragPan.enable();
    if (to) { ring()[i] = from; act(move(where, i, from, to), i); }
  };
  for (const name of ["mousedown", "touchstart"]) map.on(name, begin);
  for (const name of ["mousemove", "touchmove"]) map.on(name, go);
  for (const name of ["mouseup", "touchend", "touchcancel"]) map.on(name, end);
  const put = ({ lng, lat }) => {
    if (stack.state.shape === "circle" && ring().length) return act(move(where, 0, ring()[0], [lng, lat]), 0);
    const i = at() >= 0 ? at() + 1 : ring().length;
    return act(insert(where, i, [lng, lat]), i);
  };
  map.on("click", ({ point, lngLat }) => {
    if (hit(point, ["draw-vertex"])) return undefined; // chosen when it was pressed
    const middle = hit(point, ["draw-middle"]);
    if (!middle) return put(lngLat);
    Object.assign(where, { part: middle.part, ring: middle.ring });
    return act(insert(where, middle.at, [lngLat.lng, lngLat.lat]), middle.at);
  });
  map.getCanvas().addEventListener("keydown", (event) => {
    if (event.key === "Enter") put(map.getCenter());
    else if ((event.key === "Delete" || event.key === "Backspace") && ring().length) act(remove(stack.state, where, at() >= 0 ? at() : ring().length - 1), -1);
    else if (event.key === "Escape") select(-1, {});
    else return;
    event.preventDefault();
  });
  map.getCanvas().classList.add("measuring");
  const pointer = element("span", { class: "claim num" }, "–");
  place.querySelector(".foot")?.append(pointer);
  map.on("mousemove", ({ lngLat }) => { pointer.textContent = written(lngLat.lat, lngLat.lng); });
  place.append(element("span", { class: "cross", "aria-hidden": "true" }));

  function show(state, { part, ring: of_ }, selected) {
    const features = [];
    const feature = featureOf(state);
    if (state.shape === "circle" && feature.geometry) {
      const radius = Number(state.properties.radius_m) || 0;
      if (radius > 0) features.push({ type: "Feature", properties: { role: "area" }, geometry: { type: "Polygon", coordinates: [circle(feature.geometry.coordinates, radius)] } });
    } else if (feature.geometry) {
      features.push({ type: "Feature", properties: { role: state.shape === "area" ? "area" : "line" }, geometry: feature.geometry });
    }
    state.parts.forEach((rings, i) => rings.forEach((line, j) => {
      line.forEach((coordinates, k) => features.push({ type: "Feature", properties: { role: "vertex", part: i, ring: j, at: k, selected: i === part && j === of_ && k === selected }, geometry: { type: "Point", coordinates } }));
      if (state.shape !== "circle") for (const m of middles(line, state.shape === "area" && line.length > 2)) features.push({ type: "Feature", properties: { role: "middle", part: i, ring: j, at: m.at }, geometry: { type: "Point", coordinates: m.vertex } });
    }));
    map.getSource("draw").setData({ type: "FeatureCollection", features });
  }
  return { show, near: (vertex) => { if (vertex && !map.getBounds().contains(vertex)) map.jumpTo({ center: vertex }); } };
}
