// The link chart: what belongs together, drawn by cytoscape. Options are data attributes:
//   data-graph   {"nodes": [{id, kind, label, href?, weight?}], "edges": [{from, to, weight}]}
// Kinds: site, handset, number; whatever else is drawn as something that complaints name.
// Nodes can be dragged; one that has a page opens it by a double click or Enter. The page holds
// the same as a table, for who cannot see or drive a chart.
// For tests it writes data-nodes (drawn) and data-ready.

import { element, word } from "../words.js";
import { token } from "./style.js";

const SHEET = "__________cytoscape_stylesheet"; // cytoscape would write a <style>, which the policy stops
const KINDS = new Set(["site", "handset", "number"]);

function looks() {
  const line = (colour, shape, size) => ({
    "border-color": token(colour), "border-width": 2, "background-color": token("surface"), shape, width: size, height: size,
  });
  return [
    { selector: "node", style: { ...line("calm", "diamond", 26), label: "data(label)", color: token("ink-2"), "font-size": 12, "font-family": "IBM Plex Mono, monospace", "text-valign": "bottom", "text-margin-y": 4, "min-zoomed-font-size": 6 } },
    { selector: "node[kind = 'site']", style: { ...line("accent", "ellipse", 46), label: word("site"), "text-valign": "center", "text-margin-y": 0 } },
    { selector: "node[kind = 'handset']", style: line("accent", "ellipse", 28) },
    { selector: "node[kind = 'number']", style: line("serious", "round-rectangle", 20) },
    { selector: "edge", style: { width: "data(width)", "line-color": token("edge"), "curve-style": "haystack", "haystack-radius": 0 } },
    { selector: "node:selected", style: { "background-color": token("raised"), "border-width": 4 } },
    { selector: ".beside", style: { opacity: 0.18 } },
  ];
}

function elements(graph) {
  const most = Math.max(1, ...graph.edges.map((e) => e.weight ?? 1));
  return [
    ...graph.nodes.map((n) => ({ data: { ...n, kind: KINDS.has(n.kind) ? n.kind : "named" } })),
    ...graph.edges.map((e, i) => ({
      data: { id: `e${i}`, source: e.from, target: e.to, width: 1 + 3 * Math.sqrt((e.weight ?? 1) / most) },
    })),
  ];
}

export async function mount(place, { graph }) {
  const told = JSON.parse(graph);
  if (!document.getElementById(SHEET)) document.head.append(element("template", { id: SHEET }));
  const { default: cytoscape } = await import("../vendor/cytoscape.mjs");
  place.querySelector(".fallback")?.remove();
  const canvas = element("div", { class: "canvas" });
  const tools = element("div", { class: "tools" });
  place.append(canvas, tools);
  const chart = cytoscape({
    container: canvas, elements: elements(told), style: looks(),
    minZoom: 0.15, maxZoom: 4, boxSelectionEnabled: false,
    layout: {
      name: "concentric", animate: false, padding: 24, minNodeSpacing: 14, equidistant: false,
      concentric: (node) => ({ site: 4, handset: 3, number: 2 })[node.data("kind")] ?? 1,
      levelWidth: () => 1,
    },
  });
  const button = (name, act) => {
    const made = element("button", { type: "button", class: "button" }, word(name));
    made.addEventListener("click", act);
    tools.append(made);
  };
  const zoom = (by) => chart.zoom({ level: chart.zoom() * by, renderedPosition: { x: canvas.clientWidth / 2, y: canvas.clientHeight / 2 } });
  button("zoom-in", () => zoom(1.4));
  button("zoom-out", () => zoom(1 / 1.4));
  button("whole", () => chart.fit(undefined, 24));
  chart.on("select", "node", ({ target }) => {
    chart.elements().addClass("beside");
    target.closedNeighborhood().removeClass("beside");
  });
  chart.on("unselect", "node", () => chart.elements().removeClass("beside"));
  chart.on("dbltap", "node", ({ target }) => {
    const href = target.data("href");
    if (href) location.assign(href);
  });
  new MutationObserver(() => chart.style(looks())).observe(document.documentElement, { attributeFilter: ["data-theme"] });
  new ResizeObserver(() => { chart.resize(); chart.fit(undefined, 24); }).observe(canvas);
  place.dataset.nodes = String(chart.nodes().length);
  place.dataset.ready = "";
}
