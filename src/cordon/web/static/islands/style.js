// The basemap's style, coloured by the page's tokens. Everything comes from the node itself.

const EMPTY = { type: "FeatureCollection", features: [] };
const KINDS = 8; // colours that the shader holds: five kinds of frames, own units, sensors

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
    trails: { "line-color": token("track"), "line-width": 1, "line-opacity": 0.55 },
    trail: { "line-color": token("track"), "line-width": 1.8, "line-opacity": 0.9 },
    "lines-other": { "line-color": token("ink-3"), "line-width": 1.1, "line-opacity": 0.7 },
    "lines-subject": { "line-color": token("track"), "line-width": 2 },
    "lines-point": { "circle-radius": 3.5, "circle-color": token("track"), "circle-stroke-width": 1, "circle-stroke-color": token("sea") },
    "lines-name": { "text-color": token("ink-2"), "text-halo-color": token("sea"), "text-halo-width": 1.4 },
    findings: {
      "circle-radius": 5.5, "circle-stroke-width": 1.5, "circle-stroke-color": token("sea"),
      "circle-color": ["match", ["get", "seriousness"], "grave", token("grave"), "serious", token("serious"), token("notice")],
    },
    "cover-fill": {
      "fill-color": ["match", ["get", "layer"], "seen", token("calm"), "unproven", token("notice"), token("grave")],
      "fill-opacity": ["match", ["get", "layer"], "seen", 0.1, "unproven", 0.1, 0.16],
    },
    "cover-line": { "line-color": ["match", ["get", "layer"], "reach", token("calm"), token("grave")], "line-width": 1, "line-dasharray": [3, 3], "line-opacity": 0.8 },
    "cover-sensor": { "circle-radius": 4, "circle-color": token("kind-6"), "circle-stroke-width": 1.5, "circle-stroke-color": token("sea") },
    "cover-name": { "text-color": ["match", ["get", "layer"], "uncovered", token("grave"), token("ink-2")], "text-halo-color": token("sea"), "text-halo-width": 1.4 },
    "measure-line": { "line-color": token("ink"), "line-width": 1.8, "line-dasharray": [2, 1.5] },
    "measure-point": { "circle-radius": 4, "circle-color": token("surface"), "circle-stroke-width": 2, "circle-stroke-color": token("ink") },
    "measure-name": { "text-color": token("ink"), "text-halo-color": token("sea"), "text-halo-width": 1.8 },
    "focus-fill": { "fill-color": token("dark-vessel"), "fill-opacity": 0.09 },
    "focus-line": { "line-color": token("dark-vessel"), "line-width": 1.8 },
    "focus-point": {
      "circle-radius": 9, "circle-color": "rgba(0,0,0,0)", "circle-stroke-width": 2.4, "circle-stroke-color": token("dark-vessel"),
    },
  };
}

/** Paints of what is laid over the map from a file. */
export const overlayPaints = () => ({
  fill: { "fill-color": token("accent"), "fill-opacity": 0.1 },
  line: { "line-color": token("accent"), "line-width": 1.5 },
  point: { "circle-radius": 4, "circle-color": token("accent"), "circle-stroke-width": 1, "circle-stroke-color": token("sea") },
  name: { "text-color": token("ink-2"), "text-halo-color": token("sea"), "text-halo-width": 1.4 },
});

const LABEL = { "text-size": 12, "text-anchor": "top", "text-offset": [0, 0.7], "text-optional": true };
const EVERYWHERE = ["lines", "trails", "trail", "findings", "cover", "measure", "focus"];

export function style({ land, boundaries, zones, tiles }) {
  const p = paints();
  const geojson = (data, more = {}) => ({ type: "geojson", data, ...more });
  return {
    version: 8,
    sources: {
      land: geojson(land, { maxzoom: 10, tolerance: 0.3 }),
      boundaries: geojson(boundaries, { maxzoom: 10 }),
      zones: geojson(zones || EMPTY),
      ...Object.fromEntries(EVERYWHERE.map((name) => [name, geojson(EMPTY)])),
      ...(tiles ? { tiles: tiles.spec } : {}),
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
      { id: "cover-fill", type: "fill", source: "cover", paint: p["cover-fill"], filter: ["in", ["get", "layer"], ["literal", ["seen", "unproven", "uncovered"]]] },
      { id: "cover-line", type: "line", source: "cover", paint: p["cover-line"], filter: ["in", ["get", "layer"], ["literal", ["reach", "uncovered"]]] },
      { id: "cover-sensor", type: "circle", source: "cover", paint: p["cover-sensor"], filter: ["==", ["get", "layer"], "sensor"] },
      { id: "cover-name", type: "symbol", source: "cover", paint: p["cover-name"], filter: ["in", ["get", "layer"], ["literal", ["uncovered", "sensor"]]], layout: { ...LABEL, "text-field": ["coalesce", ["get", "says"], ["get", "name"], ""] } },
      { id: "lines-other", type: "line", source: "lines", paint: p["lines-other"], filter: ["==", ["get", "role"], "other"] },
      { id: "lines-subject", type: "line", source: "lines", paint: p["lines-subject"], filter: ["==", ["get", "role"], "subject"] },
      { id: "lines-point", type: "circle", source: "lines", paint: p["lines-point"], filter: ["==", ["geometry-type"], "Point"] },
      { id: "lines-name", type: "symbol", source: "lines", paint: p["lines-name"], filter: ["==", ["geometry-type"], "Point"], layout: { ...LABEL, "text-field": ["coalesce", ["get", "label"], ""] } },
      { id: "trails", type: "line", source: "trails", paint: p.trails },
      { id: "trail", type: "line", source: "trail", paint: p.trail },
      { id: "findings", type: "circle", source: "findings", paint: p.findings },
      { id: "focus-fill", type: "fill", source: "focus", paint: p["focus-fill"], filter: ["==", ["geometry-type"], "Polygon"] },
      { id: "focus-line", type: "line", source: "focus", paint: p["focus-line"], filter: ["!=", ["geometry-type"], "Point"] },
      { id: "focus-point", type: "circle", source: "focus", paint: p["focus-point"], filter: ["==", ["geometry-type"], "Point"] },
      { id: "measure-line", type: "line", source: "measure", paint: p["measure-line"], filter: ["==", ["geometry-type"], "LineString"] },
      { id: "measure-point", type: "circle", source: "measure", paint: p["measure-point"], filter: ["==", ["geometry-type"], "Point"] },
      { id: "measure-name", type: "symbol", source: "measure", paint: p["measure-name"], filter: ["==", ["geometry-type"], "Point"], layout: { ...LABEL, "text-field": ["get", "says"], "text-allow-overlap": true } },
    ],
  };
}

/** Layers of the operator's own tiles, drawn under everything that is ours. */
export function tileLayers({ spec, layers }) {
  if (spec.type === "raster") return [{ id: "tiles", type: "raster", source: "tiles" }];
  const of = (id, type, paint, filter) => ({ id: `tiles-${id}-${type}`, type, source: "tiles", "source-layer": id, paint, filter });
  const area = ["in", ["geometry-type"], ["literal", ["Polygon", "MultiPolygon"]]];
  const way = ["in", ["geometry-type"], ["literal", ["LineString", "MultiLineString"]]];
  return layers.flatMap((id) => {
    const water = /water|ocean|sea|river|lake/i.test(id);
    return [
      of(id, "fill", { "fill-color": token(water ? "sea" : "land"), "fill-opacity": /earth|land|water|ocean|park|landuse/i.test(id) ? 1 : 0.4 }, area),
      of(id, "line", { "line-color": token("coast"), "line-width": /road|transport|street/i.test(id) ? 1.2 : 0.8 }, way),
    ];
  });
}

/** Paint the map and its tracks by the theme in force. */
export function recolour(map, tracks) {
  for (const [layer, properties] of Object.entries(paints())) {
    if (!map.getLayer(layer)) continue;
    for (const [name, value] of Object.entries(properties)) map.setPaintProperty(layer, name, value);
  }
  for (const { id } of map.getStyle().layers) {
    const [, part] = /^overlay-.*-(fill|line|point|name)$/.exec(id) ?? [];
    if (part) for (const [name, value] of Object.entries(overlayPaints()[part])) map.setPaintProperty(id, name, value);
  }
  tracks?.paint(Array.from({ length: KINDS }, (_, k) => rgb(`kind-${k}`)), rgb("sea"), rgb("dark-vessel"), rgb("kind-7"));
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
