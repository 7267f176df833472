// Calls for help reach every page of the watch: a bar at the top until somebody has answered, and a
// sound where the browser lets a page make one.

import { element, word } from "../words.js";

const EVERY_MS = 5000;
const REFUSED_MS = 5 * 60_000; // who may not ask, or must sign in or change a password first
let heard = new Set(), bar = null, title = "";

// Resolves to how long to wait before the next look (ms).
async function look() {
  let calls;
  try {
    const answer = await fetch("/api/operations/field/calls", { headers: { Accept: "application/json" } });
    if (answer.status === 401 || answer.status === 403) return REFUSED_MS;
    if (!answer.ok) return EVERY_MS;
    ({ calls } = await answer.json());
  } catch {
    return EVERY_MS; // the node is away for a moment: the next look will tell
  }
  const open = calls.filter((one) => one.state === "called");
  show(open);
  if (open.some((one) => !heard.has(one.id))) sound();
  heard = new Set(open.map((one) => one.id));
  return EVERY_MS;
}

function show(open) {
  bar ??= document.body.appendChild(element("div", { class: "calls", role: "alert" }));
  const lines = open.map((one) => {
    const text = word("help-calls", { unit: one.unit, officer: one.officer });
    return one.alert ? element("a", { href: `/alerts/${one.alert}` }, text) : element("span", {}, text);
  });
  if (bar.textContent !== lines.map((one) => one.textContent).join("") || bar.querySelectorAll("a").length !== lines.filter((one) => one.href).length) {
    bar.replaceChildren(...lines);
  }
  title ||= document.title;
  document.title = open.length ? `(${open.length}!) ${title}` : title;
}

function sound() {
  try {
    const out = new AudioContext();
    for (const at of [0, 0.4, 0.8]) {
      const tone = out.createOscillator();
      tone.frequency.value = 880;
      tone.connect(out.destination);
      tone.start(out.currentTime + at);
      tone.stop(out.currentTime + at + 0.25);
    }
    setTimeout(() => out.close(), 2000);
  } catch {
    // no sound here: the bar is there
  }
}

export async function watch() {
  setTimeout(watch, await look());
}
