// The field page: one unit's taskings on a phone. It shows what the phone keeps, and keeps what is
// said before it is sent; with no node in reach it does the same, but that nothing leaves.

import { element, word } from "../words.js";
import { cards } from "./cards.js";
import { askForm, askPhoto, askWords } from "./asking.js";
import { help, helpBar } from "./help.js";
import * as kept from "./kept.js";
import { deaf, hear, heard } from "./hearing.js";
import { state as askState } from "./reaching.js";
import { look, offset, stamp, sync } from "./sending.js";

// by the clock: so often where the node is not heard, or something waits; else more rarely
const EVERY_MS = 15_000, HEARD_EVERY_MS = 60_000, FIX_EVERY_MS = 15_000, FRESH_FIX_MS = 120_000;
const place = (id) => document.getElementById(id);
let way = "near", says = "", drawn = "", watching = null, latest = null, lastFix = 0;
let restless = false, lastSent = 0, asking = false, again = false;

/** Keep an act, and try to send it. */
async function say(act, blob = null) {
  const { officer } = await known();
  if (!officer) return;
  const position = latest && Date.now() - latest.when < FRESH_FIX_MS ? { lat: latest.lat, lon: latest.lon } : null;
  await kept.keepAct(officer, { at: stamp(), offset_ms: await offset(), position, ...act }, blob);
  await draw();
  await send();
}

async function known() {
  const [told, officer] = await Promise.all([kept.get("shown", "state"), kept.get("meta", "officer")]);
  return { told: told ?? null, officer: officer ?? null };
}

async function send() {
  const answer = await sync();
  if (answer.way !== "elsewhere") ({ way, says } = answer);
  if (way === "away" || way === "busy") (await navigator.serviceWorker?.ready)?.sync?.register("field").catch(() => undefined);
  lastSent = Date.now();
  hear(node);
  await draw();
}

/** Ask how things stand now; where that is being asked already, once more after it. */
async function askAnew() {
  again = true;
  if (asking) return;
  asking = true;
  try {
    while (again) {
      again = false;
      ({ way, says } = await look());
      await draw();
    }
  } finally {
    asking = false;
  }
}

const node = { reached: () => way === "near", changed: askAnew, ended: send };

function byTheClock() {
  if (!heard() || restless || Date.now() - lastSent >= HEARD_EVERY_MS) send();
}

/** Draw what is kept; nothing moves where nothing changed, so that a finger meets what it aimed at. */
async function draw() {
  const { told, officer } = await known();
  const [acts, photos, panic, others, ms] = await Promise.all([
    officer ? kept.acts(officer) : [], officer ? kept.photos(officer) : [], kept.get("shown", "panic"),
    kept.ofOthers(officer ?? ""), offset(),
  ]);
  restless = panic !== null && panic !== undefined || [...acts, ...photos].some((one) => one.state === "waiting");
  const whole = JSON.stringify([told?.taskings, told?.kept, told?.unit, acts, photos.map((p) => [p.id, p.state]), panic, others, way, says,
    Math.round((ms ?? 0) / 10_000), watching !== null]);
  if (whole === drawn) return;
  drawn = whole;
  place("whose").textContent = told?.unit ?? "";
  tellWay(acts.filter((one) => one.state === "waiting").length + photos.filter((one) => one.state === "waiting").length);
  banners(told, ms, others);
  place("taskings").replaceChildren(...cards(told, acts, photos, on));
  place("come-back").replaceChildren(...comeBack(told, acts, photos));
  helpBar(place("help"), panic?.officer === officer ? panic : null, told?.limits);
  for (const one of document.querySelectorAll("[data-signed-in]")) one.hidden = !officer;
  place("switch-place").setAttribute("aria-pressed", String(watching !== null));
}

function tellWay(waiting) {
  const chip = place("way");
  chip.dataset.way = way;
  chip.textContent = word(way === "near" ? (waiting ? "field-sending" : "field-near") : `field-${way}`, { n: waiting });
}

function banners(told, ms, others) {
  const lines = [];
  if (way === "sign-in") {
    lines.push(element("p", { class: "banner grave", role: "alert" }, element("span", {}, word("field-sign-in-first"), " ",
      element("a", { href: "/sign-in?next=/field", class: "button" }, word("field-go-sign-in")))));
  }
  if (way === "refused" || (way === "busy" && says)) lines.push(element("p", { class: "banner grave", role: "alert" }, element("span", { dir: "auto" }, says)));
  const limit = told?.limits.clock_s ?? 60;
  if (ms !== null && Math.abs(ms) > limit * 1000) {
    const minutes = Math.max(1, Math.round(Math.abs(ms) / 60_000));
    lines.push(element("p", { class: "banner notice", id: "clock-wrong", role: "status" }, element("span", {}, word(ms > 0 ? "field-clock-behind" : "field-clock-ahead", { n: minutes }))));
  }
  if (others) lines.push(element("p", { class: "banner notice", role: "status" }, element("span", {}, word("field-others", { n: others }))));
  place("banners").replaceChildren(...lines);
}

/** What could not be done: here where the node never took it, else as the node tells it. */
function comeBack(told, acts, photos) {
  const items = (told?.kept ?? []).map((one) => ({ what: one.to ?? one.form ?? one.kind, why: one.why, settled: one.settled }));
  for (const one of acts) if (one.state === "refused") items.push({ what: one.act.to ?? one.act.form ?? one.act.kind, why: one.why });
  for (const one of photos) if (one.state === "refused") items.push({ what: "photo", why: one.why === "hash" ? word("field-photo-other") : one.why });
  if (!items.length) return [];
  return [
    element("h2", {}, word("field-came-back")),
    element("ul", { class: "came-back" }, ...items.map((one) => element("li", {},
      element("b", {}, word(`field-what-${one.what}`)), " ", element("span", { class: "quiet", dir: "auto" }, one.why ?? ""),
      element("p", { class: one.settled ? "calm" : "faint", dir: "auto" }, one.settled ? `${word("field-settled")} ${one.settled}` : word("field-unsettled"))))),
  ];
}

const on = {
  async step(tasking, to) {
    if (to !== "done" && to !== "declined") return say({ kind: "step", tasking: tasking.id, to, note: "" });
    const note = await askWords(word(to === "done" ? "field-report" : "field-why-not"), word(`field-do-${to}`), 10);
    if (note !== null) await say({ kind: "step", tasking: tasking.id, to, note });
  },
  async form(tasking) {
    const { told } = await known();
    const filled = await askForm(told.forms, document.documentElement.lang);
    if (filled) await say({ kind: "form", tasking: tasking.id, ...filled });
  },
  async photo(tasking) {
    const { told } = await known();
    const taken = await askPhoto(told.limits);
    if (taken) await say({ kind: "photo", tasking: tasking.id, sha256: taken.sha256, size: taken.blob.size, media_type: taken.blob.type }, taken.blob);
  },
};

// where the phone is

function took({ coords, timestamp }) {
  latest = { lat: coords.latitude, lon: coords.longitude, when: timestamp, accuracy_m: coords.accuracy };
  if (Date.now() - lastFix < FIX_EVERY_MS) return;
  lastFix = Date.now();
  known().then(async ({ officer }) => {
    if (!officer) return;
    await kept.keepFix(officer, { at: new Date(timestamp).toISOString(), offset_ms: await offset(), lat: coords.latitude, lon: coords.longitude, accuracy_m: coords.accuracy });
    await send();
  });
}

async function switchPlace() {
  if (watching === null && navigator.geolocation) {
    watching = navigator.geolocation.watchPosition(took, (wrong) => {
      if (wrong.code === wrong.PERMISSION_DENIED) { stopPlace(); place("place-says").textContent = word("field-no-place"); }
    }, { enableHighAccuracy: true, maximumAge: 10_000 });
  } else stopPlace();
  await kept.put("meta", watching !== null, "place");
  place("place-says").textContent = word(watching !== null ? "field-place-on" : "field-place-off");
  await draw();
}

function stopPlace() {
  if (watching !== null) navigator.geolocation.clearWatch(watching);
  watching = null;
}

async function signOut(event) {
  event.preventDefault();
  const form = event.target;
  await send();
  deaf(); // what comes now would be kept on the phone again
  if (way !== "near") return void (place("place-says").textContent = word("field-no-sign-out"));
  stopPlace();
  form.elements.csrf.value = (await askState()).csrf;
  await kept.forget();
  form.submit();
}

async function chooseLanguage(event) {
  event.preventDefault();
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = `cordon_lang=${event.currentTarget.dataset.language}; Path=/; Max-Age=31536000; SameSite=Lax${secure}`;
  for (const name of await caches.keys()) if (name.startsWith("field-")) await (await caches.open(name)).delete("/field");
  location.reload();
}

place("switch-place").addEventListener("click", switchPlace);
place("sign-out").addEventListener("submit", signOut);
for (const link of document.querySelectorAll("[data-language]")) link.addEventListener("click", chooseLanguage);
help(place("help"), { send, draw, officer: async () => (await known()).officer, latest: () => latest });
addEventListener("online", send);
addEventListener("offline", () => { way = "away"; deaf(); draw(); });
document.addEventListener("visibilitychange", () => { if (document.visibilityState === "visible") send(); });
setInterval(byTheClock, EVERY_MS);
navigator.storage?.persist?.(); // so that the browser throws nothing away when it needs room

await draw();
document.documentElement.dataset.ready = "";
if (await kept.get("meta", "place")) await switchPlace();
await send();
if ("serviceWorker" in navigator) {
  await navigator.serviceWorker.register("/field/worker.js", { scope: "/field", type: "module" }).catch(() => undefined);
  await navigator.serviceWorker.ready;
  document.documentElement.dataset.offline = "ready";
}
