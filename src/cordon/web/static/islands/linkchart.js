// The link chart: what belongs together, drawn by cytoscape. Options are data attributes:
//   data-graph   {"nodes": [{id, kind, label, href?, weight?}], "edges": [{from, to, weight, cut?}]}
// Kinds: site, handset, number, address, hub; whatever else is drawn as something that complaints
// name. An edge with cut is no tie: it shows what was cut.
// Nodes can be dragged; one that has a page opens it by a double click or Enter. The page holds
// the same as a table, for who cannot see or drive a chart.
// For tests it writes data-nodes (drawn), data-overlaps (labels that lie over another) and
// data-ready.

import { element, word } from "../words.js";
import { token } from "./style.js";
import { placed } from "./treelayout.js";

const SHEET = "__________cytoscape_stylesheet"; // cytoscape would write a <style>, which the policy stops
const KINDS = new Set(["site", "handset", "number", "address", "hub"]);
const NARROW = 620; // px: below it everything stands on one side of the site

function looks() {
  const line = (colour, shape, size) => ({
    "border-color": token(colour), "border-width": 2, "background-color": token("surface"), shape, width: size, height: size,
  });
  return [
    { selector: "node", style: { ...line("calm", "diamond", 18), label: "data(label)", color: token("ink-2"), "font-size": 12, "font-family": "IBM Plex Mono, monospace", "text-valign": "center", "text-halign": "right", "text-margin-x": 5, "min-zoomed-font-size": 5 } },
    { selector: "node[side = 'left']", style: { "text-halign": "left", "text-margin-x": -5 } },
    { selector: "node[kind = 'site']", style: { ...line("accent", "ellipse", 52), label: word("site"), "font-family": getComputedStyle(document.body).fontFamily, "text-halign": "center", "text-margin-x": 0 } },
    { selector: "node[kind = 'handset']", style: { ...line("accent", "ellipse", 24), "text-halign": "center", "text-valign": "bottom", "text-margin-x": 0, "text-margin-y": 3 } },
    { selector: "node[kind = 'number']", style: line("serious", "round-rectangle", 15) },
    { selector: "node[kind = 'address']", style: line("accent", "hexagon", 18) },
    { selector: "node[kind = 'hub']", style: { ...line("ink-3", "ellipse", 16), "border-style": "dashed", color: token("ink-3") } },
    { selector: "edge", style: { width: "data(width)", "line-color": token("edge"), "curve-style": "haystack", "haystack-radius": 0 } },
    { selector: "edge[?cut]", style: { "line-style": "dashed", opacity: 0.6 } },
    { selector: "node:selected", style: { "background-color": token("raised"), "border-width": 4 } },
    { selector: ".beside", style: { opacity: 0.18 } },
  ];
}

function elements(graph, places) {
  const most = Math.max(1, ...graph.edges.map((e) => e.weight ?? 1));
  return [
    ...graph.nodes.map((n) => ({
      // labels are drawn apart from the page, by its direction: numbers run from left to right
      data: { ...n, label: `\u2066${n.label ?? ""}\u2069`, kind: KINDS.has(n.kind) ? n.kind : "named", side: places.get(n.id).x < 0 ? "left" : "right" },
      position: places.get(n.id),
    })),
    ...graph.edges.map((e, i) => ({
      data: { id: `e${i}`, source: e.from, target: e.to, cut: Boolean(e.cut), width: 1 + 3 * Math.sqrt((e.weight ?? 1) / most) },
    })),
  ];
}

/** How many labels lie over another label: none where the places are well chosen. */
function overlaps(chart) {
  const boxes = chart.nodes().filter((n) => n.data("kind") !== "site").map((n) => n.boundingBox({ includeNodes: false, includeEdges: false, includeLabels: true, includeOverlays: false }));
  let found = 0;
  boxes.forEach((a, i) => {
    for (const b of boxes.slice(i + 1)) if (a.x1 < b.x2 - 1 && b.x1 < a.x2 - 1 && a.y1 < b.y2 - 1 && b.y1 < a.y2 - 1) found += 1;
  });
  return found;
}

export async function mount(place, { graph }) {
  const told = JSON.parse(graph);
  if (!document.getElementById(SHEET)) document.head.append(element("template", { id: SHEET }));
  const { default: cytoscape } = await import("../vendor/cytoscape.mjs");
  place.querySelector(".fallback")?.remove();
  const canvas = element("div", { class: "canvas", dir: "ltr" }); // numbers, also on a page from right to left
  const tools = element("div", { class: "tools" });
  place.append(tools, canvas); // above it: what they would lie on could not be read
  const narrow = canvas.clientWidth < NARROW;
  const chart = cytoscape({
    container: canvas, elements: elements(told, placed(told, narrow ? 1 : 2)), style: looks(),
    minZoom: 0.15, maxZoom: 4, boxSelectionEnabled: false, layout: { name: "preset" },
  });
  const button = (name, act) => {
    const made = element("button", { type: "button", class: "button" }, word(name));
    made.addEventListener("click", act);
    tools.append(made);
  };
  const zoom = (by) => chart.zoom({ level: chart.zoom() * by, renderedPosition: { x: canvas.clientWidth / 2, y: canvas.clientHeight / 2 } });
  /** All of it; on a narrow screen as wide as the screen, from its top, so that it can be read. */
  const fit = () => {
    chart.fit(undefined, 20);
    if (narrow) {
      const box = chart.elements().boundingBox();
      const level = Math.min(1, (canvas.clientWidth - 16) / box.w);
      if (level > chart.zoom()) chart.viewport({ zoom: level, pan: { x: 8 - box.x1 * level, y: 8 - box.y1 * level } });
    } else if (chart.zoom() > 1.2) {
      chart.zoom(1.2);
      chart.center();
    }
  };
  button("zoom-in", () => zoom(1.4));
  button("zoom-out", () => zoom(1 / 1.4));
  button("whole", () => chart.fit(undefined, 20));
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
  new ResizeObserver(() => { chart.resize(); fit(); }).observe(canvas);
  fit();
  place.dataset.nodes = String(chart.nodes().length);
  place.dataset.overlaps = String(overlaps(chart));
  place.dataset.ready = "";
}
