// The line at the foot of a map, and the gate that lets only the newest frame through.

import { element, word } from "../words.js";
import { decode } from "./frames.js";

/** Seconds in steps of ten, so that a screen reader does not hear each of them. */
const rounded = (seconds) => (seconds < 10 ? seconds : Math.floor(seconds / 10) * 10);

/** The line at the foot of the map: how many, of how many, and whether it is stale. */
export function status(place, staleAfter, table) {
  const line = element("p", { class: "says", role: "status" }, word("connecting"));
  place.append(element("div", { class: "foot" }, line));
  let last = 0;
  let still = false;
  let query = null;
  const write = (text, state, linked = false) => {
    const link = line.querySelector("a");
    if (linked && table) {
      if (link && link.textContent === text && query === location.search) return;
      query = location.search;
      line.replaceChildren(element("a", { href: table + location.search }, text));
    } else if (link || line.textContent !== text) line.textContent = text;
    line.classList.toggle("stale", state === "stale");
    place.dataset.state = state;
  };
  setInterval(() => {
    const since = Math.round((Date.now() - last) / 1000);
    if (!still && last && since > staleAfter) write(word("stale", { n: rounded(since) }), "stale");
  }, 1000);
  const began = Date.now();
  return {
    /** A frame was drawn: `count` of `total` are shown. */
    frame(count, total = count) {
      last = Date.now();
      const n = count.toLocaleString("en");
      write(count === total ? word("tracks", { n }) : word("tracks-of", { n, all: total.toLocaleString("en") }), "live", true);
    },
    lost() {
      if (last) return;
      const since = Math.round((Date.now() - began) / 1000);
      if (since > staleAfter) write(word("stale", { n: rounded(since) }), "stale");
      else write(word("connecting"), "connecting");
    },
    /** Say something else until `live` is called: a replay is on. */
    replay(text) {
      still = true;
      write(text, "replay");
    },
    live() {
      still = false;
      last = Date.now();
    },
  };
}

/** The foot of a map without a feed: what it shows is as old as the page. */
export function silent(place) {
  place.append(element("div", { class: "foot" }));
  place.dataset.state = "still";
  return { frame() {}, lost() {}, replay() {}, live() {} };
}

/** Feeds frames to `draw`, the newest only, at most one an animation frame and one at a time. */
export function latestWins(place, draw) {
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
    draw(decode(buffer));
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
