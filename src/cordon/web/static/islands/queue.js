// The alert queue never reloads under its reader: it says how many are new, and they pull them in.
//
// <section data-island="queue" data-count-url="…">
//   <button data-pull hidden hx-get="…" hx-target="#alerts" hx-swap="outerHTML"></button>
//   <ol id="alerts" data-list data-since="…"> rows of alert_row </ol>
// The count address answers {"new": n}; `since` of the list is sent along.

import { select, selectedRow } from "../keys.js";
import { word } from "../words.js";

const EVERY_MS = 10_000;

export function mount(place, { countUrl, every }) {
  const pull = place.querySelector("[data-pull]");
  if (!pull || !countUrl) return;
  pull.dataset.key = "n";
  let kept = null;

  const count = async () => {
    if (document.visibilityState === "hidden") return;
    const url = new URL(countUrl, location.href);
    const since = place.querySelector("[data-list]")?.dataset.since;
    if (since) url.searchParams.set("since", since);
    try {
      const answer = await fetch(url, { headers: { Accept: "application/json" } });
      if (!answer.ok) return;
      const { new: fresh } = await answer.json();
      pull.hidden = !(fresh > 0);
      const text = word("new", { n: fresh }) + " ↑";
      if (fresh > 0 && pull.textContent !== text) pull.textContent = text;
    } catch {
      // The node is away for a moment: the next look will tell. What stands is still what was read.
    }
  };

  // back from an act on a row: the reader goes on from there
  const left = location.hash.startsWith("#alert-") && document.getElementById(location.hash.slice(1));
  if (left && place.contains(left) && !selectedRow()) select(left);

  pull.addEventListener("click", () => { kept = selectedRow()?.id ?? null; });
  place.addEventListener("htmx:after:swap", () => {
    pull.hidden = true;
    pull.textContent = "";
    if (kept) select(document.getElementById(kept)); // back where the reader was
    kept = null;
  });
  setInterval(count, Number(every) || EVERY_MS);
  document.addEventListener("visibilitychange", count);
  count();
}
