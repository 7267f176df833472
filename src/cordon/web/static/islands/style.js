// The basemap's style, coloured by the page's tokens. Everything comes from the node itself.

const EMPTY = { type: "FeatureCollection", features: [] };
const KINDS = 8; // colours that the shader holds; the frame uses the first five

/** A token's colour as CSS text. */
export const token = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

/** A token's colour as [r, g, b], 0 to 1 (tokens are written #rrggbb). */
export function rgb(name) {
  const value = Number.parseInt(token(name).slice(1), 16);
  return [(value >> 16) & 255, (value >> 8) & 255, value & 255].map((c) => c / 255);
}

/** What is painted, by layer and property; computed anew when the theme changes. */
function paints() {
  return {
    sea: { "background-color": token("sea") },
    land: { "fill-color": token("land"), "fill-antialias": true },
    coast: { "line-color": token("coast"), "line-width": 1 },
    boundaries: { "line-color": token("coast"), "line-width": 1, "line-dasharray": [4, 3] },
    "zone-fill": { "fill-color": token("notice"), "fill-opacity": 0.08 },
    "zone-line": { "line-color": token("ink-3"), "line-width": 1.2, "line-dasharray": [5, 4] },
    "zone-name": { "text-color": token("ink-2"), "text-halo-color": token("sea"), "text-halo-width": 1.4 },
    trail: { "line-color": token("track"), "line-width": 1.6, "line-opacity": 0.85 },
    "focus-fill": { "fill-color": token("dark-vessel"), "fill-opacity": 0.09 },
    "focus-line": { "line-color": token("dark-vessel"), "line-width": 1.8 },
    "focus-point": {
      "circle-radius": 9, "circle-color": "rgba(0,0,0,0)", "circle-stroke-width": 2.4, "circle-stroke-color": token("dark-vessel"),
    },
  };
}

export function style({ land, boundaries, zones }) {
  const p = paints();
  const geojson = (data, more = {}) => ({ type: "geojson", data, ...more });
  return {
    version: 8,
    sources: {
      land: geojson(land, { maxzoom: 10, tolerance: 0.3 }),
      boundaries: geojson(boundaries, { maxzoom: 10 }),
      zones: geojson(zones || EMPTY),
      trail: geojson(EMPTY),
      focus: geojson(EMPTY),
    },
    layers: [
      { id: "sea", type: "background", paint: p.sea },
      { id: "land", type: "fill", source: "land", paint: p.land },
      { id: "coast", type: "line", source: "land", paint: p.coast },
      { id: "boundaries", type: "line", source: "boundaries", paint: p.boundaries },
      // a sector or the territorial sea is an outline: filled, it would tint half the map
      { id: "zone-fill", type: "fill", source: "zones", paint: p["zone-fill"], filter: ["==", ["get", "kind"], "restricted"] },
      { id: "zone-line", type: "line", source: "zones", paint: p["zone-line"] },
      {
        id: "zone-name", type: "symbol", source: "zones", paint: p["zone-name"],
        layout: { "text-field": ["coalesce", ["get", "name"], ["get", "id"], ""], "text-size": 12 },
      },
      { id: "trail", type: "line", source: "trail", paint: p.trail },
      { id: "focus-fill", type: "fill", source: "focus", paint: p["focus-fill"], filter: ["==", ["geometry-type"], "Polygon"] },
      { id: "focus-line", type: "line", source: "focus", paint: p["focus-line"], filter: ["!=", ["geometry-type"], "Point"] },
      { id: "focus-point", type: "circle", source: "focus", paint: p["focus-point"], filter: ["==", ["geometry-type"], "Point"] },
    ],
  };
}

/** Paint the map and its tracks by the theme in force. */
export function recolour(map, tracks) {
  for (const [layer, properties] of Object.entries(paints())) {
    if (!map.getLayer(layer)) continue;
    for (const [name, value] of Object.entries(properties)) map.setPaintProperty(layer, name, value);
  }
  tracks.paint(Array.from({ length: KINDS }, (_, k) => rgb(`kind-${k}`)), rgb("sea"), rgb("dark-vessel"));
}

/** A place and its uncertainty (m) as features: the geometry, and a circle about a point. */
export function focusFeatures(place, radius) {
  const features = [{ type: "Feature", properties: {}, geometry: place }];
  if (place.type === "Point" && radius > 0) {
    const [lon, lat] = place.coordinates;
    const perLat = radius / 111_195; // degrees; metres in a degree of the mean sphere
    const perLon = perLat / Math.max(0.01, Math.cos((lat * Math.PI) / 180));
    const ring = Array.from({ length: 65 }, (_, i) => {
      const turn = (i / 64) * 2 * Math.PI;
      return [lon + perLon * Math.cos(turn), lat + perLat * Math.sin(turn)];
    });
    features.push({ type: "Feature", properties: {}, geometry: { type: "Polygon", coordinates: [ring] } });
  }
  return { type: "FeatureCollection", features };
}

/** West, south, east, north of a geometry. */
export function bounds(geometry) {
  const box = [Infinity, Infinity, -Infinity, -Infinity];
  const visit = (c) => {
    if (typeof c[0] !== "number") return c.forEach(visit);
    box[0] = Math.min(box[0], c[0]); box[1] = Math.min(box[1], c[1]);
    box[2] = Math.max(box[2], c[0]); box[3] = Math.max(box[3], c[1]);
    return undefined;
  };
  for (const g of geometry.geometries ?? [geometry]) visit(g.coordinates);
  return box;
}
