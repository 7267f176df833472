// The map. Options are data attributes of its element:
//   data-url         WebSocket of frames (frames.js says how they are laid out); without it the map
//                    is as old as the page
//   data-zones       GeoJSON of zones            data-names   JSON of names by index (?i=1,2)
//   data-trail(s)    GeoJSON of one vessel's way (?i=1), of several (?i=1,2)
//   data-marks       JSON of what frames do not hold, see marks.js
//   data-findings, data-cover                    GeoJSON of layers; data-table  the same as rows
//   data-replay, data-stored                     stored positions, and their span; see replay.js
//   data-lines       GeoJSON of ways, see lines.js; data-hash="off": the address keeps no view
//   data-centre      "lon,lat"   data-zoom       where to look first; the address keeps the view after
//   data-land, data-boundaries                   the basemap; data-tiles: the operator's PMTiles
//   data-stale       seconds without a frame after which the map says that it is stale (10)
//   data-closest     zoom at which a place is shown at most (9)
//   data-place, data-radius                      GeoJSON geometry of a finding, its uncertainty (m);
//                                                also where any other element of the page bears them
// For tests and the curious it writes data-frames (drawn), data-dropped (overtaken), data-shown (of
// the last frame), data-received-at and data-painted-at (ms since 1970), and data-state.

import { place as written } from "../coords.js";
import { element, word } from "../words.js";
import { canDraw, chart, keepColours } from "./basemap.js";
import { connect } from "./frames.js";
import { live } from "./livemap.js";
import { lay } from "./lines.js";
import { latestWins, silent, status } from "./status.js";
import { Table, namesOf } from "./vessels.js";

/** A moment as the clock of the page shows it. */
function clockOf(zone) {
  const lang = document.documentElement.lang === "ur" ? "ur-PK-u-nu-latn" : "en-GB";
  const form = new Intl.DateTimeFormat(lang, { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone: zone });
  return (ms) => (Number.isFinite(ms) ? form.format(ms) : "–");
}

/** Where the pointer is, at the foot of the map. */
function pointed(map, place) {
  const shown = element("span", { class: "claim num pointed", hidden: true });
  place.querySelector(".foot")?.append(shown);
  map.on("mousemove", ({ lngLat }) => {
    shown.hidden = false;
    shown.textContent = written(lngLat.lat, lngLat.lng);
  });
  map.on("mouseout", () => { shown.hidden = true; });
}

export async function mount(place, options) {
  const line = options.url ? status(place, Number(options.stale) || 10, options.table) : silent(place);
  if (!canDraw()) {
    if (!options.url) return; // the page says in words where it is
    const table = new Table(place, options.names);
    const gate = latestWins(place, (frame) => {
      line.frame(frame.count);
      table.show(frame).finally(() => gate.drawn(frame));
    });
    connect(options.url, gate.put, line.lost);
    return;
  }
  const kept = /[#&]map=/.test(location.hash) && options.hash !== "off"; // a view that the reader chose stays
  const made = await chart(place, options);
  const { map, focus } = made;
  const zone = document.querySelector("[data-zone]")?.dataset.zone ?? "UTC";
  const clock = clockOf(zone);
  map.once("load", async () => {
    const spoken = place.matches("[data-place]") ? place : document.querySelector("[data-place]");
    if (options.url) {
      pointed(map, place);
      live(place, options, { ...made, line, clock, zone, names: (indexes) => namesOf(options.names, indexes) });
    } else keepColours(map, null);
    place.dataset.ready = "";
    if (spoken) focus(JSON.parse(spoken.dataset.place), Number(spoken.dataset.radius) || 0, !kept);
    if (options.lines) {
      const told = await lay(map, made.maplibre, options.lines, { fit: spoken ? null : made.fit, rtl: made.rtl, clock }).catch(() => null);
      place.dataset.lines = told ? String(told.features.length) : "failed";
    }
  });
  document.addEventListener("cordon:focus", ({ detail }) => focus(detail.place, detail.radius));
}
