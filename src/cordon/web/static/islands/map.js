// The live map. Options are data attributes of its element:
//   data-url         WebSocket of frames (frames.js says how they are laid out)
//   data-zones       GeoJSON of zones            data-names   JSON of names by index
//   data-trail       GeoJSON of one vessel's way (asked for as ?i=index)
//   data-centre      "lon,lat"   data-zoom       where to look first; the address keeps the view after
//   data-land, data-boundaries                   the basemap
//   data-stale       seconds without a frame after which the map says that it is stale (10)
//   data-closest     zoom at which a place is shown at most (9)
//   data-place, data-radius                      GeoJSON geometry of a finding, its uncertainty (m);
//                                                also where any other element of the page bears them
// For tests and the curious it writes data-frames (drawn), data-dropped (overtaken),
// data-received-at and data-painted-at (ms since 1970, of the frame drawn last) and data-state.

import { element, word } from "../words.js";
import { connect, decode } from "./frames.js";
import { bounds, focusFeatures, recolour, style } from "./style.js";
import { Tracks } from "./tracks.js";
import { Table, card } from "./vessels.js";

const here = (path) => new URL(path, import.meta.url).href;

function canDraw() {
  try {
    return Boolean(document.createElement("canvas").getContext("webgl2"));
  } catch {
    return false;
  }
}

/** Seconds in steps of ten, so that a screen reader does not hear each of them. */
const rounded = (seconds) => (seconds < 10 ? seconds : Math.floor(seconds / 10) * 10);

/** The line at the foot of the map: how many, and whether it is stale. */
function status(place, staleAfter) {
  const line = element("p", { class: "says", role: "status" }, word("connecting"));
  place.append(element("div", { class: "foot" }, line));
  let last = 0;
  const write = (text, state) => {
    if (line.textContent !== text) line.textContent = text;
    line.classList.toggle("stale", state === "stale");
    place.dataset.state = state;
  };
  setInterval(() => {
    const since = Math.round((Date.now() - last) / 1000);
    if (last && since > staleAfter) write(word("stale", { n: rounded(since) }), "stale");
  }, 1000);
  const began = Date.now();
  return {
    frame(count) {
      last = Date.now();
      write(word("tracks", { n: count.toLocaleString("en") }), "live");
    },
    lost() {
      if (!last) {
        const since = Math.round((Date.now() - began) / 1000);
        if (since > staleAfter) write(word("stale", { n: rounded(since) }), "stale");
        else write(word("connecting"), "connecting");
      }
    },
  };
}

/** The foot of a map without a feed: what it shows is as old as the page. */
function silent(place) {
  place.append(element("div", { class: "foot" }));
  place.dataset.state = "still";
  return { frame() {}, lost() {} };
}

/** Feeds frames to `draw`, the newest only, at most one an animation frame and one at a time. */
function latestWins(place, line, draw) {
  let newest = null;
  let busy = false;
  let asked = false;
  const next = () => {
    asked = false;
    if (!newest || busy) return;
    const { buffer, at } = newest;
    newest = null;
    busy = true;
    place.dataset.receivedAt = String(at);
    const frame = decode(buffer);
    line.frame(frame.count);
    draw(frame);
  };
  const ask = () => {
    if (asked) return;
    asked = true;
    requestAnimationFrame(next);
  };
  return {
    put(buffer) {
      if (newest) place.dataset.dropped = String(Number(place.dataset.dropped ?? 0) + 1);
      newest = { buffer, at: Date.now() };
      ask();
    },
    drawn(frame) {
      // By the next animation frame the browser has taken this one over.
      requestAnimationFrame(() => {
        place.dataset.frames = String(Number(place.dataset.frames ?? 0) + 1);
        place.dataset.paintedAt = String(Date.now());
        if (frame) place.dataset.frameTime = String(frame.time);
        busy = false;
        if (newest) ask();
      });
    },
  };
}

const SHAPES = { arrow: "M7 1l4 12-4-2.5L3 13z", dot: "M7 3.5a3.5 3.5 0 1 0 .01 0z", ring: "M7 1.5a5.5 5.5 0 1 0 .01 0z" };

function legend() {
  const sign = (kind, shape) => {
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.setAttribute("viewBox", "0 0 14 14");
    svg.setAttribute("aria-hidden", "true");
    const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
    path.setAttribute("d", SHAPES[shape]);
    path.setAttribute("class", `kind-${kind}`);
    svg.append(path);
    return svg;
  };
  const list = element("ul", {}, ...Array.from({ length: 5 }, (_, k) => element("li", {}, sign(k, "arrow"), word(`kind-${k}`))));
  list.append(element("li", {}, sign(0, "arrow"), word("moving")), element("li", {}, sign(0, "dot"), word("still")),
    element("li", {}, sign("ring", "ring"), word("found")));
  return element("details", { class: "legend" }, element("summary", { class: "button" }, word("legend")), list);
}

export async function mount(place, options) {
  const line = options.url ? status(place, Number(options.stale) || 10) : silent(place);
  if (!canDraw()) {
    if (!options.url) return; // the page says in words where it is
    const table = new Table(place, options.names);
    const gate = latestWins(place, line, (frame) => table.show(frame).finally(() => gate.drawn(frame)));
    if (options.url) connect(options.url, gate.put, line.lost);
    return;
  }
  const { Map, NavigationControl, Popup, ScaleControl, setWorkerUrl } = await import("../vendor/maplibre-gl.mjs");
  document.head.append(element("link", { rel: "stylesheet", href: here("../vendor/maplibre-gl.css") }));
  setWorkerUrl(here("../vendor/maplibre-gl-worker.mjs"));
  const canvas = element("div", { class: "canvas" });
  place.prepend(canvas);
  const foot = place.querySelector(".foot");
  if (options.url) foot.prepend(legend());
  foot.append(element("span", { class: "claim" }, word("basemap")));
  const kept = /[#&]map=/.test(location.hash); // a view that the reader chose stays
  const [lon, lat] = (options.centre ?? "64,24").split(",").map(Number);
  const map = new Map({
    container: canvas,
    style: style({
      land: options.land ?? here("../vendor/land.geojson"),
      boundaries: options.boundaries ?? here("../vendor/boundaries.geojson"),
      zones: options.zones ? new URL(options.zones, location.href).href : null,
    }),
    center: [lon, lat], zoom: Number(options.zoom ?? 6), maxZoom: 16, hash: "map",
    attributionControl: false, dragRotate: false, pitchWithRotate: false, touchPitch: false, maxPitch: 0,
    renderWorldCopies: false, fadeDuration: 0,
    locale: {
      "Map.Title": word("map"), "Popup.Close": word("close"),
      "NavigationControl.ZoomIn": word("zoom-in"), "NavigationControl.ZoomOut": word("zoom-out"),
    },
  });
  map.touchZoomRotate.disableRotation();
  map.keyboard.disableRotation();
  const rtl = document.documentElement.dir === "rtl";
  map.addControl(new NavigationControl({ showCompass: false }), rtl ? "bottom-left" : "bottom-right");
  map.addControl(new ScaleControl({ unit: "nautical" }), rtl ? "bottom-left" : "bottom-right");

  const tracks = new Tracks(() => gate.drawn(tracks.frame));
  const gate = latestWins(place, line, (frame) => tracks.show(frame));
  map.once("load", () => {
    map.addLayer(tracks, "zone-name");
    recolour(map, tracks);
    place.dataset.ready = "";
    if (options.url) connect(options.url, gate.put, line.lost);
    const spoken = place.matches("[data-place]") ? place : document.querySelector("[data-place]");
    if (spoken) focus({ place: JSON.parse(spoken.dataset.place), radius: Number(spoken.dataset.radius) || 0 }, !kept);
  });
  new MutationObserver(() => recolour(map, tracks)).observe(document.documentElement, { attributeFilter: ["data-theme"] });
  new ResizeObserver(() => map.resize()).observe(canvas);

  function focus({ place: geometry, radius }, move = false) {
    if (!geometry || !map.getSource("focus")) return;
    const shown = focusFeatures(geometry, radius);
    map.getSource("focus").setData(shown);
    const [west, south, east, north] = bounds(shown.features.at(-1).geometry);
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    if (move || !map.getBounds().contains([(west + east) / 2, (south + north) / 2])) {
      map.fitBounds([[west, south], [east, north]], { maxZoom: Number(options.closest) || 9, padding: margins(), animate: !still });
    }
  }
  /** Room around what is shown, so that it never lies under the drawer. */
  function margins() {
    const drawer = place.querySelector(".drawer");
    const over = drawer && getComputedStyle(drawer).position === "absolute" ? drawer.offsetWidth + 24 : 0;
    const side = Math.min(60, canvas.clientWidth / 8);
    return { top: side, bottom: side, left: side + (rtl ? over : 0), right: side + (rtl ? 0 : over) };
  }
  document.addEventListener("cordon:focus", ({ detail }) => focus(detail));

  const popup = new Popup({ closeButton: true, maxWidth: "280px", focusAfterOpen: true, offset: 12 });
  map.on("click", async ({ lngLat }) => {
    const row = tracks.nearest(lngLat);
    if (row < 0) return;
    const { frame } = tracks;
    const content = await card(frame, row, options.names);
    popup.setLngLat([frame.lon[row], frame.lat[row]]).setDOMContent(content).addTo(map);
    if (options.trail) map.getSource("trail").setData(`${new URL(options.trail, location.href)}?i=${frame.index[row]}`);
  });
  popup.on("close", () => map.getSource("trail")?.setData({ type: "FeatureCollection", features: [] }));
  let hovering = 0;
  map.on("mousemove", ({ lngLat }) => {
    cancelAnimationFrame(hovering);
    hovering = requestAnimationFrame(() => { map.getCanvas().classList.toggle("pointing", tracks.nearest(lngLat) >= 0); });
  });
}
