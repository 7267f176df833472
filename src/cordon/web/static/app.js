// What every page does: mounts its islands, opens and closes dialogs, tells of failures.
// There is no inline script anywhere; pages say what they want by data attributes.

import { listen, lettersOff, switchLetters } from "./keys.js";
import { chooseLanguage, toggleTheme } from "./theme.js";
import { rewrite } from "./coords.js";
import { notice, word } from "./words.js";

const ISLANDS = new Set(["clock", "counts", "draw", "here", "linkchart", "map", "queue", "speeds", "timeline"]);
const mounted = new WeakSet();

/** Mount each `data-island` below `root`, once; its other data attributes are its options. */
async function mountIslands(root = document) {
  for (const place of root.querySelectorAll("[data-island]")) {
    const name = place.dataset.island;
    if (mounted.has(place) || !ISLANDS.has(name)) continue;
    mounted.add(place);
    try {
      const island = await import(`./islands/${name}.js`);
      await island.mount(place, { ...place.dataset });
    } catch (error) {
      console.error(`island ${name}`, error);
      place.dataset.failed = "";
      notice(word("failed"), "grave");
    }
  }
}

/** Tell the map of a place that a new piece of the page speaks of. */
function focusPlaces(root) {
  const spoken = root.querySelector?.("[data-place]");
  if (!spoken) return;
  const { place, radius } = spoken.dataset;
  document.dispatchEvent(new CustomEvent("cordon:focus", { detail: { place: JSON.parse(place), radius: Number(radius) || 0 } }));
}

document.addEventListener("click", (event) => {
  const target = event.target.closest?.("[data-opens], [data-closes], [data-dismiss], [data-theme-toggle], [data-language]");
  for (const menu of document.querySelectorAll("details.menu[open]")) if (!menu.contains(event.target)) menu.open = false;
  if (event.target instanceof HTMLDialogElement) event.target.close(); // its backdrop
  if (!target) return;
  if (target.dataset.opens) document.getElementById(target.dataset.opens)?.showModal();
  else if ("closes" in target.dataset) target.closest("dialog")?.close();
  else if ("dismiss" in target.dataset) target.closest(".toast")?.remove();
  else if ("themeToggle" in target.dataset) toggleTheme();
  else if (target.dataset.language) {
    event.preventDefault();
    chooseLanguage(target.dataset.language);
  }
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of document.querySelectorAll("details.menu[open]")) menu.open = false;
  document.querySelector(".find.open")?.classList.remove("open");
});
const letters = document.querySelector("[data-letters]");
if (letters) {
  letters.checked = !lettersOff();
  letters.addEventListener("change", () => switchLetters(!letters.checked));
}

// htmx 4: events are named with colons, the request stands in detail.ctx.
document.addEventListener("htmx:config:request", ({ detail: { ctx } }) => {
  const token = document.querySelector('meta[name="csrf"]')?.content;
  if (token) ctx.request.headers["X-CSRF-Token"] = token;
});
document.addEventListener("htmx:response:error", ({ detail: { ctx } }) => {
  const { status } = ctx.response;
  if (status === 401) return location.reload(); // the session ended: the server shows sign-in
  if (status === 422) return undefined; // a form came back with what is wrong in it
  const answer = new DOMParser().parseFromString(ctx.text ?? "", "text/html");
  return notice(answer.querySelector("[data-error-says]")?.textContent.trim() || word("failed"), "grave");
});
document.addEventListener("htmx:error", () => notice(word("offline"), "grave"));
document.addEventListener("htmx:after:swap", (event) => {
  mountIslands();
  rewrite();
  focusPlaces(event.target instanceof Element ? event.target : document);
});

// a saved view is the address as it is when it is saved, its fragment (the map's place) with it
for (const form of document.querySelectorAll("form[data-save-view]")) {
  form.addEventListener("submit", () => { form.elements.address.value = location.pathname + location.search + location.hash; });
}
for (const link of document.querySelectorAll("a[data-follow]")) {
  link.addEventListener("click", () => { link.search = location.search; });
}

// a phone's field page keeps what it was told: that goes before its officer does
for (const form of document.querySelectorAll('form[action="/sign-out"]')) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const { leave } = await import("./field/leave.js");
    await leave(form);
  });
}

if ("watch" in document.body.dataset) import("./field/watch.js").then(({ watch }) => watch());

listen();
rewrite();
mountIslands();
document.querySelector(".banner.grave[role=alert]")?.focus();
