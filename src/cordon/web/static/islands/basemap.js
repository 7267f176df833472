// A map of MapLibre with what every map of the pages has: the basemap, the operator's own tiles
// where there are any, controls, the claim at its foot, and the theme's colours.

import { chosen } from "../coords.js";
import { element, word } from "../words.js";
import { source as tileSource } from "./pmtiles.js";
import { bounds, focusFeatures, recolour, style, tileLayers } from "./style.js";

const here = (path) => new URL(path, import.meta.url).href;

/** Whether this browser can draw a map at all. */
export function canDraw() {
  try {
    return Boolean(document.createElement("canvas").getContext("webgl2"));
  } catch {
    return false;
  }
}

/**
 * Make the map of a place; options are those of map.js. Resolves to the map, MapLibre itself, its
 * canvas element, and `focus(geometry, radius, move)`.
 */
export async function chart(place, options) {
  const maplibre = await import("../vendor/maplibre-gl.mjs");
  document.head.append(element("link", { rel: "stylesheet", href: here("../vendor/maplibre-gl.css") }));
  maplibre.setWorkerUrl(here("../vendor/maplibre-gl-worker.mjs"));
  const canvas = element("div", { class: "canvas" });
  place.prepend(canvas);
  place.querySelector(".foot")?.append(element("span", { class: "claim" }, word(options.tiles ? "tiles" : "basemap")));
  const tiles = options.tiles ? await tileSource(maplibre, new URL(options.tiles, location.href).href).catch(() => null) : null;
  const [lon, lat] = (options.centre ?? "64,24").split(",").map(Number);
  const map = new maplibre.Map({
    container: canvas,
    style: style({
      land: options.land ?? here("../vendor/land.geojson"),
      boundaries: options.boundaries ?? here("../vendor/boundaries.geojson"),
      zones: options.zones ? new URL(options.zones, location.href).href : null,
      tiles,
    }),
    center: [lon, lat], zoom: Number(options.zoom ?? 6), maxZoom: 18, hash: options.hash === "off" ? false : "map",
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
  const corner = rtl ? "bottom-left" : "bottom-right";
  map.addControl(new maplibre.NavigationControl({ showCompass: false }), corner);
  const unit = () => (chosen("units") === "km" ? "metric" : "nautical");
  const scale = new maplibre.ScaleControl({ unit: unit() });
  map.addControl(scale, corner);
  document.addEventListener("cordon:forms", () => scale.setUnit(unit()));
  if (tiles) for (const layer of tileLayers(tiles)) map.once("load", () => map.addLayer(layer, "zone-fill"));
  new ResizeObserver(() => map.resize()).observe(canvas);

  /** Room around what is shown, so that it never lies under the drawer. */
  function margins() {
    const drawer = place.querySelector(".drawer");
    const over = drawer && getComputedStyle(drawer).position === "absolute" ? drawer.offsetWidth + 24 : 0;
    const side = Math.min(60, canvas.clientWidth / 8);
    return { top: side, bottom: side, left: side + (rtl ? over : 0), right: side + (rtl ? 0 : over) };
  }

  /** Move so that a box (west, south, east, north) is seen. */
  function fit([west, south, east, north], { animate = true } = {}) {
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    map.fitBounds([[west, south], [east, north]], { maxZoom: Number(options.closest) || 9, padding: margins(), animate: animate && !still });
  }

  /** Show a place and its uncertainty (m); move there where `move` or where it is out of sight. */
  function focus(geometry, radius, move = false) {
    if (!geometry || !map.getSource("focus")) return;
    const shown = focusFeatures(geometry, radius);
    map.getSource("focus").setData(shown);
    const box = bounds(shown.features.at(-1).geometry);
    if (move || !map.getBounds().contains([(box[0] + box[2]) / 2, (box[1] + box[3]) / 2])) fit(box);
  }

  return { map, maplibre, canvas, focus, fit, rtl };
}

/** Keep a map in the theme's colours; `tracks` is painted with it where there is one. */
export function keepColours(map, tracks) {
  recolour(map, tracks);
  new MutationObserver(() => recolour(map, tracks)).observe(document.documentElement, { attributeFilter: ["data-theme"] });
}
