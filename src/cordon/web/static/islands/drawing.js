// A zone as it is being drawn, and the stack of what was done to it. Nothing here touches a page.
//
// The outline is `parts`, each a list of rings, each a list of [lon, lat] without the closing one:
// of an area the first ring is its outside and the others are holes, a line has one ring a part,
// and a circle one place.

const SHAPES = { Polygon: "area", MultiPolygon: "area", LineString: "line", MultiLineString: "line", Point: "circle" };
const open = (ring) => {
  const [first, last] = [ring[0], ring.at(-1)];
  const closed = ring.length > 1 && first[0] === last[0] && first[1] === last[1];
  return (closed ? ring.slice(0, -1) : ring).map(([x, y]) => [x, y]);
};

/** The state of a feature of GeoJSON, or of a new zone where it is null. */
export function stateOf(feature) {
  const properties = { ...feature?.properties };
  const geometry = feature?.geometry;
  const kind = geometry?.type;
  let parts = [[[]]];
  try {
    if (kind === "Polygon") parts = [geometry.coordinates.map(open)];
    else if (kind === "MultiPolygon") parts = geometry.coordinates.map((rings) => rings.map(open));
    else if (kind === "LineString") parts = [[geometry.coordinates.map(([x, y]) => [x, y])]];
    else if (kind === "MultiLineString") parts = geometry.coordinates.map((line) => [line.map(([x, y]) => [x, y])]);
    else if (kind === "Point") parts = [[[[geometry.coordinates[0], geometry.coordinates[1]]]]];
  } catch {
    parts = [[[]]]; // a feature that no rule of zones would have let in
  }
  return { shape: SHAPES[kind] ?? "area", parts, properties };
}

/** The feature of a state, its rings closed; null geometry while nothing is drawn. */
export function featureOf({ shape, parts, properties }) {
  const told = Object.fromEntries(Object.entries(properties).filter(([, value]) => value !== "" && value !== undefined && value !== null));
  if (shape !== "circle") delete told.radius_m;
  return { type: "Feature", properties: told, geometry: geometryOf(shape, parts) };
}

function geometryOf(shape, parts) {
  const some = parts.map((rings) => rings.filter((ring) => ring.length)).filter((rings) => rings.length);
  if (!some.length) return null;
  if (shape === "circle") return { type: "Point", coordinates: some[0][0][0] };
  if (shape === "line") {
    const lines = some.map(([line]) => line);
    return lines.length === 1 ? { type: "LineString", coordinates: lines[0] } : { type: "MultiLineString", coordinates: lines };
  }
  const areas = some.map((rings) => rings.map((ring) => [...ring, ring[0]]));
  return areas.length === 1 ? { type: "Polygon", coordinates: areas[0] } : { type: "MultiPolygon", coordinates: areas };
}

/** A command: what it does to a state and how that is taken back. */
const command = (name, apply, revert, merge = null) => ({ name, apply, revert, merge });
const ringOf = (state, { part, ring }) => state.parts[part][ring];

export const insert = (where, at, vertex) => command("insert",
  (state) => ringOf(state, where).splice(at, 0, [...vertex]), (state) => ringOf(state, where).splice(at, 1));

export const remove = (state, where, at) => {
  const vertex = [...ringOf(state, where)[at]];
  return command("remove", (s) => ringOf(s, where).splice(at, 1), (s) => ringOf(s, where).splice(at, 0, vertex));
};

export const move = (where, at, from, to) => command("move",
  (state) => { ringOf(state, where)[at] = [...to]; }, (state) => { ringOf(state, where)[at] = [...from]; });

/** Another shape: of an area a line or the reverse keeps the vertices, a circle its first one. */
export const reshape = (state, shape) => {
  const before = { shape: state.shape, parts: structuredClone(state.parts) };
  const first = state.parts[0]?.[0]?.[0];
  const parts = shape === "circle" ? [[first ? [first] : []]] : structuredClone(state.parts).map((rings) => (shape === "line" ? rings.slice(0, 1) : rings));
  return command("shape", (s) => Object.assign(s, { shape, parts: structuredClone(parts) }), (s) => Object.assign(s, structuredClone(before)));
};

/** A field of the form; what is typed into one field in a row is one command. */
export const field = (name, from, to) => ({
  ...command(`field:${name}`, (state) => { state.properties[name] = to; }, (state) => { state.properties[name] = from; },
    (next) => (next.name === `field:${name}` ? field(name, from, next.to) : null)),
  to,
});

/** What was done, and what was taken back of it. */
export class Stack {
  #done = [];
  #undone = [];

  constructor(state) {
    this.state = state;
  }

  get canUndo() { return this.#done.length > 0; }
  get canRedo() { return this.#undone.length > 0; }
  get changed() { return this.#done.length > 0; }

  do(next) {
    next.apply(this.state);
    const last = this.#done.at(-1);
    const merged = last?.merge?.(next) ?? null;
    if (merged) this.#done[this.#done.length - 1] = merged;
    else this.#done.push(next);
    this.#undone.length = 0;
  }

  undo() {
    const last = this.#done.pop();
    if (!last) return false;
    last.revert(this.state);
    this.#undone.push(last);
    return true;
  }

  redo() {
    const next = this.#undone.pop();
    if (!next) return false;
    next.apply(this.state);
    this.#done.push(next);
    return true;
  }
}

/** The places half-way between the vertices of a ring, each with where a vertex would come in. */
export function middles(ring, closed) {
  const found = [];
  for (let i = 0; i + (closed ? 0 : 1) < ring.length && ring.length > 1; i++) {
    const [a, b] = [ring[i], ring[(i + 1) % ring.length]];
    found.push({ at: i + 1, vertex: [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2] });
  }
  return found;
}
