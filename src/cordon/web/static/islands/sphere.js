// Distances and bearings on the sphere, as cordon.kernel.geo has them.

const RADIUS_M = 6_371_008.8;
const rad = (d) => (d * Math.PI) / 180;
const deg = (r) => (r * 180) / Math.PI;

/** Great-circle distance (m) between [lon, lat] and [lon, lat]. */
export function distance([x1, y1], [x2, y2]) {
  const half = Math.sin(rad(y2 - y1) / 2) ** 2 + Math.cos(rad(y1)) * Math.cos(rad(y2)) * Math.sin(rad(x2 - x1) / 2) ** 2;
  return 2 * RADIUS_M * Math.asin(Math.sqrt(Math.min(1, half)));
}

/** Initial bearing (degrees clockwise from true north) from one to another. */
export function bearing([x1, y1], [x2, y2]) {
  const y = Math.sin(rad(x2 - x1)) * Math.cos(rad(y2));
  const x = Math.cos(rad(y1)) * Math.sin(rad(y2)) - Math.sin(rad(y1)) * Math.cos(rad(y2)) * Math.cos(rad(x2 - x1));
  return (deg(Math.atan2(y, x)) + 360) % 360;
}

/** Where one comes to from a place on a bearing (degrees) over a way (m). */
export function destination([x, y], course, way) {
  const angle = way / RADIUS_M;
  const p = rad(y);
  const c = rad(course);
  const p2 = Math.asin(Math.sin(p) * Math.cos(angle) + Math.cos(p) * Math.sin(angle) * Math.cos(c));
  const l2 = rad(x) + Math.atan2(Math.sin(c) * Math.sin(angle) * Math.cos(p), Math.cos(angle) - Math.sin(p) * Math.sin(p2));
  return [((deg(l2) + 540) % 360) - 180, deg(p2)];
}

/** The great circle between two places as points no more than a degree apart, for drawing. */
export function arc(from, to) {
  const way = distance(from, to);
  const steps = Math.max(1, Math.ceil(way / 111_195));
  const course = bearing(from, to);
  const points = Array.from({ length: steps }, (_, i) => (i ? destination(from, course, (way * i) / steps) : from));
  let last = from[0];
  return [...points, to].map(([x, y]) => {
    last = x - 360 * Math.round((x - last) / 360); // no leap across the map's edge
    return [last, y];
  });
}

/** A circle about a place as a ring of points. */
export function ring(centre, radius, corners = 64) {
  return Array.from({ length: corners + 1 }, (_, i) => destination(centre, (360 * (i % corners)) / corners, radius));
}
