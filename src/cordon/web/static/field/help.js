// Calling for help: a button that must be held, so that no pocket calls. What is called is kept first
// and said again until somebody answers; only the watch ends it.

import { element, word } from "../words.js";
import * as kept from "./kept.js";
import { offset, stamp } from "./sending.js";

let timer = null, page = null;
let times = { hold_s: 2, repeat_s: 15 }; // as the card of the detector has them, once it is known

/** Listen to the button. `page`: {send, draw, officer, latest}. */
export function help(place, asked) {
  page = asked;
  const hold = place.querySelector("[data-hold]");
  const begin = (event) => {
    if (event.repeat || timer !== null) return;
    if (event.type === "keydown" && event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    hold.classList.add("held");
    timer = setTimeout(() => { stop(); call(); }, times.hold_s * 1000);
  };
  const stop = () => { clearTimeout(timer); timer = null; hold.classList.remove("held"); };
  hold.addEventListener("pointerdown", begin);
  hold.addEventListener("keydown", begin);
  for (const left of ["pointerup", "pointerleave", "pointercancel", "keyup", "blur", "contextmenu"]) hold.addEventListener(left, stop);
  place.querySelector("[data-safe]").addEventListener("click", safe);
  again();
}

/** Show whether help was called, and whether anybody heard. `limits` as the node told them. */
export function helpBar(place, panic, limits = times) {
  times = limits;
  place.querySelector("[data-hold]").hidden = panic !== null;
  place.querySelector("[data-safe]").hidden = panic === null || panic.safe === true;
  const says = place.querySelector("[data-says]");
  const text = panic === null ? word("help-hold") : word(panic.heard ? `help-${panic.heard.state}` : "help-unheard") + (panic.safe ? ` ${word("help-safe")}` : "");
  if (says.textContent !== text) says.textContent = text;
  place.dataset.state = panic === null ? "" : panic.heard?.state ?? "unheard";
}

async function call() {
  const officer = await page.officer();
  if (!officer) return;
  navigator.vibrate?.([200, 100, 200]);
  await kept.put("shown", { id: crypto.randomUUID(), officer, at: stamp(), offset_ms: await offset(), fix: fixOf(page.latest(), 1), fixes: 1 }, "panic");
  await page.draw();
  where();
  await page.send();
}

/** The newest position goes with each call; asking for it holds up none. */
function where() {
  navigator.geolocation?.getCurrentPosition(async ({ coords, timestamp }) => {
    await change((panic) => ({ ...panic, fixes: panic.fixes + 1, fix: fixOf({ lat: coords.latitude, lon: coords.longitude, accuracy_m: coords.accuracy, when: timestamp }, panic.fixes + 1) }));
    await page.send();
  }, () => undefined, { enableHighAccuracy: true, maximumAge: 5000, timeout: 30_000 });
}

async function again() {
  setTimeout(again, times.repeat_s * 1000);
  const panic = await kept.get("shown", "panic");
  if (panic) where();
  if (panic && panic.heard?.state !== "answered") await page.send();
}

async function safe() {
  await change((panic) => ({ ...panic, safe: true }));
  await page.draw();
  await page.send();
}

async function change(how) {
  const panic = await kept.get("shown", "panic");
  if (panic) await kept.put("shown", how(panic), "panic");
}

function fixOf(latest, number) {
  return latest && { number, at: new Date(latest.when).toISOString(), offset_ms: null, lat: latest.lat, lon: latest.lon, accuracy_m: latest.accuracy_m };
}
