// Places for a link chart so that no label lies over another: the site in the middle, its handsets
// beside it, their numbers in columns outside, and outermost what belongs to those.

const HANDSETS = 130; // px from the site, of columns whose labels stand under or beside the nodes
const NUMBERS = 290;
const NAMED = 410;
const ROW = 22; // px between numbers; a label is 12 px high
const HANDSET_ROW = 46; // px between handsets, whose labels stand under them

/** Place of each node by its id, `{x, y}` in px, on one side of the site (right) or on two. */
export function placed(graph, sides) {
  const places = new Map([["site", { x: 0, y: 0 }]]);
  const kind = new Map(graph.nodes.map((n) => [n.id, n.kind]));
  const linked = (id) => graph.edges.filter((e) => e.from === id || e.to === id).map((e) => [e.from === id ? e.to : e.from, e.weight ?? 1]);
  const of = new Map(); // each number under the handset that it was most used in
  for (const { id } of graph.nodes.filter((n) => n.kind === "number")) {
    const handsets = linked(id).filter(([other]) => kind.get(other) === "handset").sort((a, b) => b[1] - a[1]);
    const under = handsets[0]?.[0] ?? "site";
    of.set(under, [...(of.get(under) ?? []), id]);
  }
  const branches = [
    ...graph.nodes.filter((n) => n.kind === "handset").map((n) => ({ handset: n.id, numbers: of.get(n.id) ?? [] })),
    ...(of.get("site") ?? []).map((id) => ({ handset: null, numbers: [id] })),
  ].map((b) => ({ ...b, height: Math.max(b.numbers.length * ROW, b.handset ? HANDSET_ROW : ROW) }))
    .sort((a, b) => b.height - a.height);
  const columns = Array.from({ length: sides }, () => ({ height: 0, branches: [] }));
  for (const branch of branches) {
    const column = columns.reduce((a, b) => (b.height < a.height ? b : a));
    column.branches.push(branch);
    column.height += branch.height;
  }
  columns.forEach((column, side) => {
    const way = side === 0 ? 1 : -1;
    let top = -column.height / 2;
    for (const { handset, numbers, height } of column.branches) {
      const middle = top + height / 2;
      if (handset) places.set(handset, { x: way * HANDSETS, y: middle });
      numbers.forEach((id, i) => places.set(id, { x: way * NUMBERS, y: middle + (i - (numbers.length - 1) / 2) * ROW }));
      top += height;
    }
  });
  const below = [-Infinity, -Infinity]; // the lowest that stands in each outer column
  const named = graph.nodes.filter((n) => !places.has(n.id)).map(({ id }) => {
    const with_ = linked(id).map(([other]) => other).filter((other) => other !== "site").map((other) => places.get(other)).filter(Boolean);
    const x = with_[0]?.x ?? (columns.length > 1 && columns[1].height < columns[0].height ? -1 : 1);
    const y = with_.length ? with_.reduce((sum, p) => sum + p.y, 0) / with_.length : 0;
    return { id, side: x < 0 ? 1 : 0, y };
  }).sort((a, b) => a.y - b.y);
  for (const { id, side, y } of named) {
    const free = Math.max(y, below[side] + ROW);
    below[side] = free;
    places.set(id, { x: (side ? -1 : 1) * NAMED, y: free });
  }
  return places;
}
