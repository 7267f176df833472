// What is said of a vessel: names come from the node for those that a reader points at, no others.

import { element, word } from "../words.js";
import { STILL, UNKNOWN } from "./frames.js";

const known = new Map();

const PAGES = "/picture/vessels/";

/** Names of vessels by index, `{name, href}` each; unknown ones are asked for in one request. */
export async function namesOf(url, indices) {
  const wanted = url ? indices.filter((i) => !known.has(i)) : [];
  if (wanted.length) {
    try {
      const answer = await fetch(`${url}${url.includes("?") ? "&" : "?"}i=${wanted.join(",")}`, { headers: { Accept: "application/json" } });
      if (answer.ok) for (const [i, said] of Object.entries(await answer.json())) {
        const { name, subject } = said;
        known.set(Number(i), { name: name || subject, href: subject ? PAGES + encodeURIComponent(subject) : null });
      }
    } catch {
      // Without an answer the vessel stands unnamed; the next pointing asks again.
    }
  }
  return indices.map((i) => known.get(i) ?? { name: word("unknown"), href: null });
}

export function reading(frame, row) {
  const speed = frame.speed[row];
  const course = frame.course[row];
  return {
    latitude: degrees(frame.lat[row], "NS", 2),
    longitude: degrees(frame.lon[row], "EW", 3),
    speed: speed === UNKNOWN ? "–" : (speed / 10).toFixed(1),
    course: course === UNKNOWN || frame.flags[row] & STILL ? "–" : (course / 10).toFixed(0).padStart(3, "0"),
    age: word("ago", { n: frame.age[row] }),
  };
}

function degrees(value, letters, width) {
  const thousandths = Math.round(Math.abs(value) * 60_000);
  const whole = Math.floor(thousandths / 60_000);
  const minutes = ((thousandths - whole * 60_000) / 1000).toFixed(3).padStart(6, "0");
  return `${String(whole).padStart(width, "0")}°${minutes}′${letters[value < 0 ? 1 : 0]}`;
}

/** What the popup shows of one vessel. */
export async function card(frame, row, namesUrl) {
  const read = reading(frame, row);
  const kind = frame.kind[row];
  const [{ name, href }] = await namesOf(namesUrl, [frame.index[row]]);
  const list = element("dl");
  for (const key of ["latitude", "longitude", "speed", "course", "age"]) {
    list.append(element("dt", {}, word(key)), element("dd", { class: "num" }, read[key]));
  }
  const box = element("div", { dir: document.documentElement.dir }, element("h2", { dir: "auto" }, name), element("p", { class: "faint" }, word(`kind-${kind}`)), list);
  if (href) box.append(element("a", { href }, word("open")));
  return box;
}

/** Where no map can be drawn: the newest positions as a table, drawn anew at most every 5 s. */
export class Table {
  #drawn = 0;
  constructor(place, namesUrl) {
    this.namesUrl = namesUrl;
    this.body = element("tbody");
    const heads = ["vessel", "latitude", "longitude", "speed", "course", "age"].map((key) => element("th", { scope: "col" }, word(key)));
    place.append(element("div", { class: "fallback", tabindex: "0", role: "region", "aria-label": word("map") },
      element("p", { class: "banner notice" }, word("no-webgl")),
      element("table", {}, element("thead", {}, element("tr", {}, ...heads)), this.body)));
  }

  async show(frame) {
    if (performance.now() - this.#drawn < 5000 && this.#drawn) return;
    this.#drawn = performance.now();
    const rows = [...Array(frame.count).keys()].sort((a, b) => frame.age[a] - frame.age[b]).slice(0, 100);
    const names = await namesOf(this.namesUrl, rows.map((row) => frame.index[row]));
    this.body.replaceChildren(...rows.map((row, at) => {
      const read = reading(frame, row);
      const first = names[at].href ? element("a", { href: names[at].href }, names[at].name) : names[at].name;
      return element("tr", {}, element("td", {}, first), ...["latitude", "longitude", "speed", "course", "age"].map((key) => element("td", { class: "num" }, read[key])));
    }));
  }
}
