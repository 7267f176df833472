// What frames do not hold: which indexes are own units or sensors, which are watched, and which
// fit a name or source. Asked for when somebody new is in a frame, and every few seconds.

const EVERY_MS = 8000;
const SOON_MS = 1500;
const NOTHING = { units: new Set(), sensors: new Set(), listed: new Set(), matching: null, sources: [] };

export class Marks {
  current = NOTHING;
  #url;
  #changed;
  #asked = { name: "", source: "" };
  #timer = 0;
  #highest = -1;
  #busy = false;

  /** `changed` is called when the marks are other than before. */
  constructor(url, changed) {
    this.#url = url;
    this.#changed = changed;
    if (url) {
      this.refresh();
      document.addEventListener("visibilitychange", () => this.#soon(0));
    }
  }

  /** Ask for what fits these filters, too. */
  ask({ name = "", source = "" }) {
    if (name === this.#asked.name && source === this.#asked.source) return;
    this.#asked = { name, source };
    if (name || source) this.current = { ...this.current, matching: this.current.matching ?? new Set() };
    this.#soon(250); // while a name is typed, not each letter
  }

  /** Look whether a frame holds somebody whom the marks do not know yet. */
  see(frame) {
    if (!this.#url || !frame.count) return;
    const highest = frame.index.reduce((a, b) => Math.max(a, b), -1);
    if (highest > this.#highest) {
      this.#highest = highest;
      this.#soon(SOON_MS);
    }
  }

  #soon(wait) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.refresh(), wait);
  }

  async refresh() {
    if (!this.#url || this.#busy) return;
    clearTimeout(this.#timer);
    if (document.visibilityState === "hidden") return;
    this.#busy = true;
    const sought = this.#asked;
    try {
      const query = new URLSearchParams(Object.entries(sought).filter(([, value]) => value));
      const answer = await fetch(`${this.#url}?${query}`, { headers: { Accept: "application/json" } });
      if (answer.ok) {
        const told = await answer.json();
        this.current = {
          units: new Set(told.units), sensors: new Set(told.sensors), listed: new Set(told.listed),
          matching: told.matching ? new Set(told.matching) : null, sources: told.sources,
        };
        this.#changed(this.current);
      }
    } catch {
      // The node is away for a moment: what was known stays, and the next turn asks again.
    } finally {
      this.#busy = false;
      this.#soon(sought === this.#asked ? EVERY_MS : 0);
    }
  }
}
