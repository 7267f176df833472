// What is said of a vessel: names come from the node for those that a reader points at, no others.

import { minutes, place } from "../coords.js";
import { element, word } from "../words.js";
import { UNIT } from "./filters.js";
import { LISTED, STILL, UNKNOWN } from "./frames.js";

const known = new Map();

const PAGES = "/picture/vessels/";

/** Names of vessels by index, `{name, href}` each; unknown ones are asked for in one request. */
export async function namesOf(url, indices) {
  const wanted = url ? indices.filter((i) => !known.has(i)) : [];
  if (wanted.length) {
    try {
      const answer = await fetch(`${url}${url.includes("?") ? "&" : "?"}i=${wanted.join(",")}`, { headers: { Accept: "application/json" } });
      if (answer.ok) for (const [i, said] of Object.entries(await answer.json())) {
        const { name, subject, source } = said;
        known.set(Number(i), { name: name || subject, subject, source, href: subject ? PAGES + encodeURIComponent(subject) : null });
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
    latitude: minutes(frame.lat[row], "NS", 2),
    longitude: minutes(frame.lon[row], "EW", 3),
    position: place(frame.lat[row], frame.lon[row]),
    speed: speed === UNKNOWN ? "–" : (speed / 10).toFixed(1),
    course: course === UNKNOWN || frame.flags[row] & STILL ? "–" : (course / 10).toFixed(0).padStart(3, "0"),
    age: word("ago", { n: frame.age[row] }),
  };
}

/** What the popup shows of one vessel; `names` resolves indexes to what they are called. */
export async function card(frame, row, names) {
  const read = reading(frame, row);
  const kind = frame.kind[row];
  const [{ name, href, subject, source }] = await names([frame.index[row]]);
  const list = element("dl");
  for (const key of ["position", "speed", "course", "age"]) {
    list.append(element("dt", {}, word(key)), element("dd", { class: "num" }, read[key]));
  }
  if (source) list.append(element("dt", {}, word("source")), element("dd", { dir: "auto" }, source));
  const what = [kind >= UNIT ? `${word("kind-5")} · ${word(`kind-${kind - UNIT}`)}` : word(`kind-${kind}`)];
  if (subject && subject !== name) what.push(subject);
  const box = element("div", { dir: document.documentElement.dir }, element("h2", { dir: "auto" }, name), element("p", { class: "faint" }, what.join(" · ")));
  if (frame.flags[row] & LISTED) box.append(element("p", { class: "listed" }, word("listed")));
  box.append(list);
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
