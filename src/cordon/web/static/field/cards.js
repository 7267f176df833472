// A unit's taskings as cards: what to do, where, since when, and one big button for what comes next.

import { element, word } from "../words.js";

const NEXT = { sent: "acknowledged", acknowledged: "moving", moving: "on_scene", on_scene: "done" };
const lang = document.documentElement.lang === "ur" ? "ur-PK-u-nu-latn" : "en-GB";
const clock = new Intl.DateTimeFormat(lang, { hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone: document.documentElement.dataset.zone });

/** The cards of all taskings that are under way, what waits to be sent counted in. */
export function cards(told, acts, photos, on) {
  if (!told) return [element("p", { class: "empty" }, word("field-nothing-known"))];
  const open = told.taskings.map((tasking) => card(tasking, acts.filter((one) => one.act.tasking === tasking.id), photos, on)).filter(Boolean);
  return open.length ? open : [element("p", { class: "empty" }, word("field-no-tasking"))];
}

function card(tasking, acts, photos, on) {
  const steps = [...tasking.steps];
  let state = tasking.state;
  for (const { act, state: how } of acts) {
    if (act.kind !== "step" || how !== "waiting") continue;
    state = act.to;
    steps.push({ state, at: act.at, waits: true });
  }
  const next = NEXT[state];
  const mine = new Set(acts.map((one) => one.id));
  const waits = acts.filter((one) => one.state === "waiting" && one.act.kind !== "step").length
    + photos.filter((one) => one.state === "waiting" && !mine.has(one.id) && one.tasking === tasking.id).length;
  return element("article", { class: `card tasking ${tasking.seriousness}`, "data-tasking": tasking.id, "data-state": state },
    element("h2", {}, word(`title-${tasking.title}`) === `title-${tasking.title}` ? tasking.title : word(`title-${tasking.title}`)),
    tasking.taken_back ? element("p", { class: "banner notice" }, element("span", {}, word("field-taken-back"))) : "",
    element("p", { class: "order", dir: "auto" }, tasking.order),
    tasking.place ? where(tasking.place) : "",
    clocks(steps),
    next ? button(word(`field-do-${next}`), () => on.step(tasking, next), "button first next", { "data-next": next }) : element("p", { class: "calm" }, word(`field-state-${state}`)),
    element("div", { class: "row" },
      button(word("field-photo"), () => on.photo(tasking), "button"),
      button(word("field-form"), () => on.form(tasking), "button"),
      state === "sent" || state === "acknowledged" ? button(word("field-do-declined"), () => on.step(tasking, "declined"), "button") : ""),
    waits ? element("p", { class: "faint" }, word("field-waits", { n: waits })) : "");
}

function clocks(steps) {
  return element("ol", { class: "steps" }, ...steps.filter((one) => one.state !== "drafted").map((one) =>
    element("li", { class: one.waits ? "waits" : "" }, element("span", {}, word(`field-state-${one.state}`)), " ",
      element("time", { class: "num", datetime: one.at }, clock.format(new Date(one.at))), one.waits ? ` · ${word("field-not-sent")}` : "")));
}

function where({ lat, lon }) {
  return element("p", { class: "num", dir: "ltr" }, element("a", { href: `geo:${lat},${lon}` }, `${minutes(lat, "NS")} ${minutes(lon, "EW")}`));
}

function minutes(degrees, sides) {
  const all = Math.round(Math.abs(degrees) * 60_000), whole = Math.floor(all / 60_000);
  return `${whole}°${((all % 60_000) / 1000).toFixed(3).padStart(6, "0")}′${sides[degrees < 0 ? 1 : 0]}`;
}

function button(text, act, kind, more = {}) {
  const made = element("button", { type: "button", class: kind, ...more }, text);
  // once a touch: a second one that comes while the first is kept would say the next step too
  made.addEventListener("click", async () => { made.disabled = true; try { await act(); } finally { made.disabled = false; } });
  return made;
}
