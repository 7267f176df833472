// Replay: stored positions of a span on the same map, with a slider, speed, pause and step. The
// moment stands in the address (`at`), with the span's end (`to`) and length in hours (`hours`).

import { asked, put } from "../address.js";
import { notice, word } from "../words.js";
import { decode, frameAt, reportNext, wayOf } from "./replaydata.js";
import { fromLocal, toLocal } from "./zoned.js";

const DRAW_MS = 110; // between two drawings at most: software rendering must keep up
const WIDER = 0.35; // of the view, loaded beyond each of its sides
const TRAIL_S = 3600;

export class Replay {
  data = null;
  time = 0;
  #playing = false;
  #loading = null;
  #last = 0;
  #drawn = 0;

  /**
   * `bar` is the footer with its controls; `draw(frame)` shows a moment, `live()` goes back to
   * what is live, `line` is the map's status line.
   */
  constructor(map, bar, { url, stored, zone, draw, live, line, changed }) {
    Object.assign(this, { map, bar, url, stored, zone, draw, line, changed });
    this.goLive = live;
    const at = (name) => bar.querySelector(`[data-${name}]`);
    this.parts = Object.fromEntries(["live", "player", "from", "to", "slider", "back", "play", "forward", "rate", "hours", "end", "told", "moment"].map((n) => [n, at(n)]));
    const p = this.parts;
    p.live.addEventListener("click", () => (this.on ? this.leave() : this.enter()));
    p.slider.addEventListener("input", () => this.#seek(Number(p.slider.value), { whole: false }));
    p.slider.addEventListener("change", () => this.#keep());
    p.play.addEventListener("click", () => this.play(!this.#playing));
    p.back.addEventListener("click", () => this.step(false));
    p.forward.addEventListener("click", () => this.step(true));
    p.rate.addEventListener("change", () => put({ rate: p.rate.value === "60" ? "" : p.rate.value }));
    p.hours.addEventListener("change", () => this.#span());
    p.end.addEventListener("change", () => this.#span());
    map.on("moveend", () => { if (this.on && this.#outside()) this.load(); });
    if (asked("rate")) p.rate.value = asked("rate");
    if (asked("hours")) p.hours.value = asked("hours");
  }

  get on() {
    return this.data !== null || this.#loading !== null;
  }

  /** The span that is loaded, as RFC 3339, or null. */
  get span() {
    if (!this.on || !this.until) return null;
    return { since: iso(this.since), until: iso(this.until) };
  }

  /** Begin where the address says, else with the last hours that are stored. */
  async enter() {
    const named = Date.parse(asked("to")) / 1000;
    const moment = Date.parse(asked("at")) / 1000;
    let end = Number.isFinite(named) ? named : null;
    if (end === null) {
      const told = await fetch(this.stored).then((answer) => answer.json()).catch(() => ({}));
      end = Math.ceil(Date.parse(told.last) / 1000);
      if (!Number.isFinite(end)) return notice(word("nothing-stored"));
    }
    const length = Number(this.parts.hours.value) * 3600;
    if (Number.isFinite(moment) && (moment > end || moment < end - length)) end = moment + length / 2;
    this.until = end;
    this.since = end - length;
    this.time = Number.isFinite(moment) ? moment : this.until; // what is seen stays, until they look back
    return this.load();
  }

  leave() {
    this.play(false);
    this.data = null;
    this.#loading?.abort();
    this.#loading = null;
    this.until = 0;
    put({ at: "", to: "", hours: "" });
    this.parts.player.hidden = true;
    this.parts.live.setAttribute("aria-pressed", "true");
    delete this.bar.dataset.at;
    this.line.live();
    this.goLive();
    this.changed();
  }

  /** Another span was chosen: its length, or its end in the clock's zone. */
  #span() {
    const end = this.parts.end.value ? fromLocal(this.parts.end.value, this.zone) / 1000 : this.until;
    this.until = end;
    this.since = end - Number(this.parts.hours.value) * 3600;
    this.time = Math.min(Math.max(this.time, this.since), this.until);
    this.load();
  }

  async load() {
    this.#loading?.abort();
    const mine = new AbortController();
    this.#loading = mine;
    this.bar.dataset.loading = "";
    this.line.replay(word("loading"));
    const view = this.map.getBounds();
    const box = wider(view);
    const query = new URLSearchParams({ from: iso(this.since), to: iso(this.until), box: box.map((v) => v.toFixed(4)).join(",") });
    try {
      const answer = await fetch(`${this.url}?${query}`, { signal: mine.signal, headers: { Accept: "application/json" } });
      if (!answer.ok) throw new Error((await answer.json().catch(() => ({}))).message ?? word("failed"));
      this.data = decode(await answer.arrayBuffer());
      this.box = box;
      this.zoom = this.map.getZoom();
      this.#show();
    } catch (wrong) {
      if (wrong.name === "AbortError") return;
      notice(wrong.message || word("failed"), "grave");
      if (!this.data) { this.#loading = null; this.leave(); }
    } finally {
      if (this.#loading === mine) {
        this.#loading = null;
        delete this.bar.dataset.loading;
      }
    }
  }

  /** Whether the view shows what was not loaded, or thinned away although it is near now. */
  #outside() {
    if (this.#loading || !this.box) return false;
    const v = this.map.getBounds();
    const [west, south, east, north] = this.box;
    const beyond = v.getWest() < west || v.getEast() > east || v.getSouth() < south || v.getNorth() > north;
    return beyond || (this.data?.step > 0 && this.map.getZoom() > this.zoom + 1);
  }

  #show() {
    const p = this.parts;
    p.player.hidden = false;
    p.live.setAttribute("aria-pressed", "false");
    p.slider.min = String(Math.floor(this.since));
    p.slider.max = String(Math.ceil(this.until));
    p.from.textContent = this.#clock(this.since);
    p.to.textContent = this.#clock(this.until);
    p.end.value = toLocal(this.until * 1000, this.zone);
    const { step, total, rows } = this.data;
    p.told.textContent = step ? word("thinned", { step: span(step), n: rows.toLocaleString("en"), all: total.toLocaleString("en") }) : word("reports", { n: total.toLocaleString("en") });
    this.bar.dataset.rows = String(rows);
    this.bar.dataset.step = String(step);
    this.#seek(this.time);
    this.#keep();
    this.changed();
  }

  play(on) {
    if (on === this.#playing || (on && !this.data)) return;
    this.#playing = on;
    this.parts.play.setAttribute("aria-pressed", String(on));
    for (const sign of this.parts.play.querySelectorAll("[data-when]")) sign.hidden = (sign.dataset.when === "play") !== on;
    this.parts.play.setAttribute("aria-label", word(on ? "pause" : "play"));
    if (!on) return this.#keep();
    if (this.time >= this.until) this.time = this.since;
    this.#last = performance.now();
    return requestAnimationFrame((now) => this.#tick(now));
  }

  #tick(now) {
    if (!this.#playing) return;
    const passed = now - this.#last;
    if (passed >= DRAW_MS) {
      this.#last = now;
      // a hidden page stands still rather than leaping on
      this.#seek(this.time + (Math.min(passed, 1000) / 1000) * Number(this.parts.rate.value));
      if (this.time >= this.until) return this.play(false);
    }
    requestAnimationFrame((next) => this.#tick(next));
  }

  /** To the next or the last report of anybody in sight. */
  step(forward) {
    if (!this.data) return;
    this.play(false);
    const next = reportNext(this.data, this.time, forward);
    if (next !== null) this.#seek(next);
    this.#keep();
  }

  #seek(time) {
    if (!this.data) return;
    this.time = Math.min(Math.max(time, this.since), this.until);
    const p = this.parts;
    p.slider.value = String(Math.round(this.time));
    const at = this.#clock(this.time, true);
    p.slider.setAttribute("aria-valuetext", at);
    p.moment.textContent = at;
    const frame = frameAt(this.data, this.time);
    this.bar.dataset.at = iso(this.time);
    this.bar.dataset.count = String(frame.count);
    this.line.replay(word("replayed", { at, n: frame.count.toLocaleString("en") }));
    this.draw(frame);
    this.#drawn += 1;
    this.bar.dataset.drawn = String(this.#drawn);
    this.map.setFilter("findings", ["all", ["<=", ["get", "start"], this.time], [">=", ["get", "end"], this.time - 3600]]);
  }

  /** The moment in the address; not while it plays, because browsers bound how often that may be. */
  #keep() {
    if (this.data && !this.#playing) put({ at: iso(this.time), to: iso(this.until), hours: this.parts.hours.value });
  }

  /** Draw the same moment anew: a filter or layer changed. */
  redraw() {
    if (this.data) this.draw(frameAt(this.data, this.time));
  }

  /** Names of subjects by their index in the replay's frames. */
  names(indexes) {
    return indexes.map((i) => {
      const subject = this.data?.subjects[i];
      return { name: this.data?.names[i] || subject || word("unknown"), href: subject ? `/picture/vessels/${encodeURIComponent(subject)}` : null, subject, source: this.data?.sources[i] };
    });
  }

  /** The ways of the last hour of what is drawn, as GeoJSON. */
  trails(frame) {
    const features = Array.from(frame.index, (subject) => wayOf(this.data, subject, this.time, TRAIL_S)).filter((way) => way.length > 1)
      .map((way) => ({ type: "Feature", properties: {}, geometry: { type: "LineString", coordinates: way } }));
    return { type: "FeatureCollection", features };
  }

  #clock(time, whole = false) {
    const form = whole || this.until - this.since > 86_400 ? { day: "numeric", month: "short" } : {};
    const seconds = whole ? { second: "2-digit" } : {};
    return new Intl.DateTimeFormat(document.documentElement.lang === "ur" ? "ur-PK-u-nu-latn" : "en-GB", { ...form, hour: "2-digit", minute: "2-digit", ...seconds, hourCycle: "h23", timeZone: this.zone }).format(time * 1000);
  }
}

const iso = (seconds) => new Date(Math.round(seconds) * 1000).toISOString().replace(".000Z", "Z");
const span = (seconds) => (seconds < 60 ? `${seconds} s` : seconds < 3600 ? `${seconds / 60} min` : `${seconds / 3600} h`);

/** A view with some room around it: west, south, east, north. */
function wider(view) {
  const [w, s, e, n] = [view.getWest(), view.getSouth(), view.getEast(), view.getNorth()];
  const [dx, dy] = [(e - w) * WIDER, (n - s) * WIDER];
  if (e - w + 2 * dx >= 360) return [-180, Math.max(-89.9, s - dy), 180, Math.min(89.9, n + dy)];
  return [Math.max(-180, w - dx), Math.max(-89.9, s - dy), Math.min(180, e + dx), Math.min(89.9, n + dy)];
}

