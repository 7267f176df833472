// The live map: frames, layers, filters, replay and tools put together on one chart.

import { asked, put } from "../address.js";
import { choose, chosen } from "../coords.js";
import { element, word } from "../words.js";
import { keepColours } from "./basemap.js";
import { bind as bindFilters, fitting, read as readFilters } from "./filters.js";
import { connect } from "./frames.js";
import { cover, findings, inSight, overlay, trails } from "./laid.js";
import { Marks } from "./marks.js";
import { Measure } from "./measure.js";
import { Replay } from "./replay.js";
import { latestWins } from "./status.js";
import { Switches } from "./switches.js";
import { legend } from "./legend.js";
import { Tracks } from "./tracks.js";
import { card } from "./vessels.js";

const ZONES = ["zone-fill", "zone-line", "zone-name"];
const EMPTY = { type: "FeatureCollection", features: [] };

export function live(place, options, { map, maplibre, line, clock, zone, names }) {
  const tracks = new Tracks(() => gate.drawn(tracks.frame));
  const switches = new Switches();
  const marks = new Marks(options.marks, (told) => { sources(told.sources); again(); });
  let filters = readFilters();
  let newest = null; // the newest live frame, whole
  const gate = latestWins(place, (frame) => {
    newest = frame;
    marks.see(frame);
    if (replay?.on) gate.drawn(null);
    else show(frame);
  });
  map.addLayer(tracks, "zone-name");
  place.querySelector(".foot")?.prepend(legend());
  keepColours(map, tracks);

  function show(frame) {
    const shown = fitting(frame, filters, switches, replay?.on ? NOBODY : marks.current);
    place.dataset.shown = String(shown.count);
    if (!replay?.on) line.frame(shown.count, shown.total);
    tracks.show(shown);
  }
  const NOBODY = { units: { has: (i) => replay.data?.subjects[i]?.startsWith("unit:") }, sensors: { has: (i) => replay.data?.subjects[i]?.startsWith("sensor:") }, listed: new Set(), matching: null };
  /** Draw what is known anew: a filter, a layer or the marks changed. */
  function again() {
    if (replay?.on) replay.redraw();
    else if (newest) show(newest);
  }

  // replay
  const bar = document.querySelector("[data-replay-bar]");
  const replay = bar && options.replay
    ? new Replay(map, bar, {
      url: options.replay, stored: options.stored, zone, line,
      draw: (frame) => {
        NOBODY.matching = matchingIn(replay.data, filters);
        show(frame);
        if (layers.trails?.on) map.getSource("trails").setData(replay.trails(tracks.frame));
      },
      live: () => { map.setFilter("findings", null); if (newest) show(newest); },
      changed: () => { layers.findings?.refresh(); layers.trails?.refresh(); },
    })
    : null;

  // layers
  const layers = {
    findings: options.findings && findings(map, options.findings, () => replay?.span),
    cover: options.cover && cover(map, options.cover, clock),
    trails: options.trails && trails(map, options.trails, tracks, () => (replay?.on && replay.data ? replay.trails(tracks.frame) : null)),
  };
  const overlays = new Map([...document.querySelectorAll("[data-overlay]")].map((box) => [box.dataset.layer, box.dataset.overlay]));
  const apply = (name, on) => {
    if (name === "zones") for (const id of ZONES) map.setLayoutProperty(id, "visibility", on ? "visible" : "none");
    else if (layers[name]) layers[name].switch(on);
    else if (overlays.has(name)) overlay(map, name.slice(2), overlays.get(name), on);
  };
  switches.bind(document);
  switches.onChange((name, on) => { apply(name, on); again(); });
  for (const name of ["zones", ...Object.keys(layers), ...overlays.keys()]) apply(name, switches.has(name));

  // filters
  const form = document.querySelector("form[data-filters]");
  const sources = (some) => {
    const list = document.getElementById("sources");
    if (list && list.childElementCount !== some.length) list.replaceChildren(...some.map((name) => element("option", { value: name })));
  };
  marks.ask(filters);
  bindFilters(form, (next) => {
    filters = next;
    marks.ask(filters);
    again();
  });

  // tools
  const measure = new Measure(map, place, document.querySelector('[data-tool="measure"]'));
  forms();
  symbols(tracks);
  exporting(map, tracks, () => replay?.on);
  pointing(map, maplibre, tracks, measure, { options, clock, names: (indexes) => (replay?.on ? replay.names(indexes) : names(indexes)), replay });
  connect(options.url, gate.put, line.lost);
  if (replay && asked("at")) replay.enter();
}

/** Subjects of a replay that fit a name or source, by index; null where neither is asked for. */
function matchingIn(data, { name = "", source = "" }) {
  if (!data || (!name && !source)) return null;
  const sought = name.toLowerCase();
  const fits = (i) => (!sought || `${data.subjects[i]}\n${data.names[i]}`.toLowerCase().includes(sought)) && (!source || data.sources[i] === source);
  return new Set(data.subjects.map((_, i) => i).filter(fits));
}

/** How coordinates and distances are written: each reader's own choice. */
function forms() {
  for (const field of document.querySelectorAll("select[data-form]")) {
    field.value = chosen(field.dataset.form);
    field.addEventListener("change", () => choose(field.dataset.form, field.value));
  }
}

/** MIL-STD-2525 symbols instead of plain shapes; they are loaded when first asked for. */
function symbols(tracks) {
  const box = document.querySelector("[data-symbols]");
  const set = async (on) => {
    put({ signs: on ? "2525" : "" });
    if (!on) return tracks.symbols(null);
    const { atlas } = await import("./symbols.js");
    const picture = await atlas();
    tracks.symbols(picture);
    tracks.map.getContainer().closest(".map").dataset.signs = "2525";
    return undefined;
  };
  if (!box) return;
  box.checked = asked("signs") === "2525";
  box.addEventListener("change", () => set(box.checked));
  if (box.checked) set(true);
}

/** Breadcrumbs of what is in sight as a file: the link gets their indexes when it is followed. */
function exporting(map, tracks, replayed) {
  for (const link of document.querySelectorAll("a[data-take-trails]")) {
    const base = link.getAttribute("href");
    link.addEventListener("click", (event) => {
      const indexes = replayed() ? [] : inSight(map, tracks.frame, 500);
      if (!indexes.length) event.preventDefault();
      else link.setAttribute("href", `${base}?i=${indexes.join(",")}`);
    });
  }
}

/** What a click tells: of a craft, else of a finding. */
function pointing(map, maplibre, tracks, measure, { options, clock, names, replay }) {
  const popup = new maplibre.Popup({ closeButton: true, maxWidth: "280px", focusAfterOpen: true, offset: 12 });
  map.on("click", async ({ lngLat, point }) => {
    if (measure.on) return measure.add(lngLat);
    const row = tracks.nearest(lngLat);
    if (row >= 0) {
      const { frame } = tracks;
      const content = await card(frame, row, names);
      popup.setLngLat([frame.lon[row], frame.lat[row]]).setDOMContent(content).addTo(map);
      if (replay?.on) map.getSource("trail").setData({ type: "FeatureCollection", features: replay.trails({ index: [frame.index[row]] }).features });
      else if (options.trail) map.getSource("trail").setData(`${new URL(options.trail, location.href)}?i=${frame.index[row]}`);
      return undefined;
    }
    const box = [[point.x - 8, point.y - 8], [point.x + 8, point.y + 8]];
    const [hit] = map.queryRenderedFeatures(box, { layers: ["findings"] });
    if (hit) popup.setLngLat(hit.geometry.coordinates).setDOMContent(finding(hit.properties, clock)).addTo(map);
    return undefined;
  });
  popup.on("close", () => map.getSource("trail")?.setData(EMPTY));
  let hovering = 0;
  map.on("mousemove", ({ lngLat }) => {
    cancelAnimationFrame(hovering);
    hovering = requestAnimationFrame(() => { map.getCanvas().classList.toggle("pointing", tracks.nearest(lngLat) >= 0); });
  });
}

function finding(told, clock) {
  const title = word(`title:${told.kind}`);
  return element("div", { dir: document.documentElement.dir },
    element("h2", {}, title.startsWith("title:") ? told.title : title),
    element("p", { class: "faint" }, `${clock(told.start * 1000)} – ${clock(told.end * 1000)}`),
    element("a", { href: `/findings/${told.id}` }, word("open-finding")));
}
