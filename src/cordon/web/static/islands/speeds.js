// A subject's speed over a span as a chart, with the spans of its findings as bands. What the chart
// shows stands as numbers in the table beside it. Options: data-url (GeoJSON of its way),
// data-findings ("start,end,seriousness;…", s since the epoch).

import { element, word } from "../words.js";
import { token } from "./style.js";

const HIGH = 220;
const SILENT_S = 3600; // the line breaks where nothing was heard for so long

export async function mount(place, { url, findings }) {
  const answer = await fetch(url, { headers: { Accept: "application/geo+json, application/json" } });
  if (!answer.ok) throw new Error(`${answer.status} ${url}`);
  const [feature] = (await answer.json()).features;
  const { times = [], speeds = [] } = feature?.properties ?? {};
  if (!times.length) {
    place.append(element("p", { class: "quiet" }, word("no-way")));
    place.dataset.points = "0";
    return;
  }
  const { default: Plot } = await import("../vendor/uplot.mjs");
  document.head.append(element("link", { rel: "stylesheet", href: new URL("../vendor/uplot.css", import.meta.url).href }));
  const zone = document.querySelector("[data-zone]")?.dataset.zone ?? "UTC";
  const bands = (findings ?? "").split(";").filter(Boolean).map((text) => text.split(","));
  let chart = null;
  const draw = () => {
    chart?.destroy();
    chart = new Plot({
      width: Math.max(240, place.clientWidth), height: HIGH, tzDate: (ts) => Plot.tzDate(new Date(ts * 1000), zone),
      legend: { show: false }, cursor: { y: false, points: { size: 6 } },
      scales: { y: { range: (_u, _low, high) => [0, Math.max(5, (high ?? 0) * 1.1)] } },
      axes: [
        { stroke: token("ink-3"), grid: { stroke: token("edge"), width: 1 }, ticks: { stroke: token("edge") }, values: (_u, at) => marks(at, zone), size: 44 },
        { stroke: token("ink-3"), grid: { stroke: token("edge"), width: 1 }, ticks: { stroke: token("edge") }, label: word("speed-kn"), labelSize: 22, size: 44 },
      ],
      series: [{}, { stroke: token("track"), width: 1.6, spanGaps: false, points: { show: false } }],
      hooks: { drawClear: [(u) => shade(u, bands)] },
    }, columns(times, speeds), place);
  };
  place.setAttribute("role", "img");
  place.setAttribute("aria-label", word("speed-kn"));
  draw();
  let width = place.clientWidth;
  new ResizeObserver(() => { if (place.clientWidth !== width) { width = place.clientWidth; draw(); } }).observe(place);
  new MutationObserver(draw).observe(document.documentElement, { attributeFilter: ["data-theme"] });
  place.dataset.points = String(times.length);
}

/** Marks of the time axis: hours and minutes, and the day under the first of each. */
function marks(at, zone) {
  const lang = document.documentElement.lang === "ur" ? "ur-PK-u-nu-latn" : "en-GB";
  const hour = new Intl.DateTimeFormat(lang, { hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone: zone });
  const day = new Intl.DateTimeFormat(lang, { day: "numeric", month: "short", timeZone: zone });
  let last = "";
  return at.map((time) => {
    const today = day.format(time * 1000);
    const text = today === last ? hour.format(time * 1000) : `${hour.format(time * 1000)}\n${today}`;
    last = today;
    return text;
  });
}

/** Times (s) and speeds, with a break where nothing was heard for long. */
function columns(times, speeds) {
  const x = [];
  const y = [];
  times.forEach((text, i) => {
    const at = Date.parse(text) / 1000;
    if (x.length && at - x.at(-1) > SILENT_S) { x.push(x.at(-1) + 1); y.push(null); }
    x.push(at);
    y.push(speeds[i] ?? null);
  });
  return [x, y];
}

function shade(plot, bands) {
  const { ctx, bbox } = plot;
  for (const [start, end, seriousness] of bands) {
    const from = Math.max(bbox.left, plot.valToPos(Number(start), "x", true));
    const to = Math.min(bbox.left + bbox.width, plot.valToPos(Number(end), "x", true));
    if (to < bbox.left || from > bbox.left + bbox.width) continue;
    ctx.save();
    ctx.globalAlpha = 0.22;
    ctx.fillStyle = token(seriousness);
    ctx.fillRect(from, bbox.top, Math.max(2, to - from), bbox.height);
    ctx.restore();
  }
}
