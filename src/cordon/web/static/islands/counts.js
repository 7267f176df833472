// What was counted a day after a disruption, against what was expected without it. What the chart
// shows stands as numbers in the table beside it. Options: data-url (JSON), data-measure; data-axis and
// data-says, words of the axis and of the whole where other things are drawn.

import { element, word } from "../words.js";
import { token } from "./style.js";

const HIGH = 220;

export async function mount(place, { url, measure, axis = "a-day", says = "came-and-expected" }) {
  const answer = await fetch(url, { headers: { Accept: "application/json" } });
  if (!answer.ok) throw new Error(`${answer.status} ${url}`);
  const told = (await answer.json()).measures.find((one) => one.measure === measure);
  if (!told?.days.length) return;
  const { default: Plot } = await import("../vendor/uplot.mjs");
  document.head.append(element("link", { rel: "stylesheet", href: new URL("../vendor/uplot.css", import.meta.url).href }));
  const at = told.days.map((day) => Date.parse(`${day}T00:00:00Z`) / 1000);
  let chart = null;
  const draw = () => {
    chart?.destroy();
    chart = new Plot({
      width: Math.max(240, place.clientWidth), height: HIGH, tzDate: (ts) => Plot.tzDate(new Date(ts * 1000), "UTC"),
      legend: { show: false }, cursor: { y: false, points: { size: 6 } },
      scales: { y: { range: (_u, _low, high) => [0, Math.max(3, (high ?? 0) * 1.1)] } },
      axes: [
        { stroke: token("ink-3"), grid: { stroke: token("edge"), width: 1 }, ticks: { stroke: token("edge") }, values: (_u, ticks) => days(ticks) },
        { stroke: token("ink-3"), grid: { stroke: token("edge"), width: 1 }, ticks: { stroke: token("edge") }, label: word(axis), labelSize: 22, size: 44 },
      ],
      series: [{}, { stroke: token("ink-3"), width: 1.6, dash: [6, 4], points: { show: false } }, { stroke: token("track"), width: 1.8, points: { show: false } }],
      hooks: { drawClear: [(u) => shade(u, at[told.at])] },
    }, [at, told.expected, told.came], place);
  };
  place.setAttribute("role", "img");
  place.setAttribute("aria-label", word(says));
  draw();
  let width = place.clientWidth;
  new ResizeObserver(() => { if (place.clientWidth !== width) { width = place.clientWidth; draw(); } }).observe(place);
  new MutationObserver(draw).observe(document.documentElement, { attributeFilter: ["data-theme"] });
  place.dataset.points = String(at.length);
}

/** Days of the axis, each once. */
function days(ticks) {
  const lang = document.documentElement.lang === "ur" ? "ur-PK-u-nu-latn" : "en-GB";
  const day = new Intl.DateTimeFormat(lang, { day: "numeric", month: "short", timeZone: "UTC" });
  let last = "";
  return ticks.map((time) => {
    const text = day.format(time * 1000);
    const told = text === last ? "" : text;
    last = text;
    return told;
  });
}

/** The days after the disruption stand on another ground. */
function shade(plot, turn) {
  if (turn === undefined) return;
  const { ctx, bbox } = plot;
  const from = Math.max(bbox.left, plot.valToPos(turn, "x", true));
  ctx.save();
  ctx.fillStyle = token("edge");
  ctx.globalAlpha = 0.35;
  ctx.fillRect(from, bbox.top, Math.max(0, bbox.left + bbox.width - from), bbox.height);
  ctx.restore();
}
