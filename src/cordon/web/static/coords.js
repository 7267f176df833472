// How places and distances are written: each reader chooses, and it is kept in their browser.
//
// Elements with data-lat and data-lon are written anew in the chosen form; what the node wrote in
// them (degrees and minutes) stays where scripts do not run.

const KEPT = { coords: "cordon.coords", units: "cordon.units" };
const CHOICES = { coords: ["dm", "d", "mgrs"], units: ["nm", "km"] };
export const METRES = { nm: 1852, km: 1000 };

/** The chosen form: `coords` is dm, d or mgrs, `units` nm or km. */
export function chosen(what) {
  const kept = localStorage.getItem(KEPT[what]);
  return CHOICES[what].includes(kept) ? kept : CHOICES[what][0];
}

export function choose(what, value) {
  if (!CHOICES[what].includes(value)) return;
  localStorage.setItem(KEPT[what], value);
  rewrite();
  document.dispatchEvent(new CustomEvent("cordon:forms"));
}

/** A place in the chosen form. */
export function place(lat, lon) {
  const form = chosen("coords");
  if (form === "mgrs") return mgrs(lat, lon) ?? degrees(lat, lon);
  if (form === "d") return degrees(lat, lon);
  return `${minutes(lat, "NS", 2)} ${minutes(lon, "EW", 3)}`;
}

const degrees = (lat, lon) => `${lat.toFixed(5)}, ${lon.toFixed(5)}`;

/** Degrees and decimal minutes, as the node's own filter writes them. */
export function minutes(value, letters, width) {
  const thousandths = Math.round(Math.abs(value) * 60_000);
  const whole = Math.floor(thousandths / 60_000);
  const rest = ((thousandths - whole * 60_000) / 1000).toFixed(3).padStart(6, "0");
  return `${String(whole).padStart(width, "0")}°${rest}′${letters[value < 0 ? 1 : 0]}`;
}

/** A distance (m) in the chosen unit. */
export function distance(metres) {
  const unit = chosen("units");
  const value = metres / METRES[unit];
  return `${value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0)} ${unit}`;
}

/** Write every place below `root` in the chosen form. */
export function rewrite(root = document) {
  for (const shown of root.querySelectorAll("[data-lat][data-lon]")) {
    shown.textContent = place(Number(shown.dataset.lat), Number(shown.dataset.lon));
  }
}

// MGRS: the UTM zone and latitude band, the square of 100 km, and metres within it. UTM by
// Krüger's series to the fourth order in n on WGS 84, good to a millimetre within a zone (Karney
// 2011, eq. 7 to 9 and 35); letters and exceptions by NGA.STND.0037. Beyond 84° N and 80° S none.

const A = 6_378_137;
const F = 1 / 298.257223563;
const N = F / (2 - F);
const RECTIFYING = (A / (1 + N)) * (1 + N ** 2 / 4 + N ** 4 / 64);
const ALPHA = [
  N / 2 - (2 * N ** 2) / 3 + (5 * N ** 3) / 16 + (41 * N ** 4) / 180,
  (13 * N ** 2) / 48 - (3 * N ** 3) / 5 + (557 * N ** 4) / 1440,
  (61 * N ** 3) / 240 - (103 * N ** 4) / 140,
  (49_561 * N ** 4) / 161_280,
];
const SCALE = 0.9996;
const BANDS = "CDEFGHJKLMNPQRSTUVWX";
const COLUMNS = ["STUVWXYZ", "ABCDEFGH", "JKLMNPQR"]; // by zone modulo 3
const ROWS = "ABCDEFGHJKLMNPQRSTUV";

/** A place in MGRS to the metre, or null where it has none. */
export function mgrs(lat, lon) {
  if (!(lat >= -80 && lat < 84 && Math.abs(lon) <= 180)) return null;
  const band = BANDS[Math.min(19, Math.floor((lat + 80) / 8))];
  const zone = zoneOf(lat, lon);
  const [east, north] = utm(lat, lon, zone);
  const column = COLUMNS[zone % 3][Math.floor(east / 100_000) - 1];
  const row = ROWS[(Math.floor(north / 100_000) + (zone % 2 ? 0 : 5)) % 20];
  const within = (value) => String(Math.floor(value % 100_000)).padStart(5, "0");
  return `${zone}${band} ${column}${row} ${within(east)} ${within(north)}`;
}

function zoneOf(lat, lon) {
  if (lat >= 56 && lat < 64 && lon >= 3 && lon < 12) return 32; // the west of Norway
  if (lat >= 72 && lon >= 0 && lon < 42) return lon < 9 ? 31 : lon < 21 ? 33 : lon < 33 ? 35 : 37; // Svalbard
  return Math.min(60, Math.floor((lon + 180) / 6) + 1);
}

/** Easting and northing (m) in a UTM zone; northing from the equator, of the south 10,000 km on. */
function utm(lat, lon, zone) {
  const p = (lat * Math.PI) / 180;
  const l = ((lon - (zone * 6 - 183)) * Math.PI) / 180;
  const e = Math.sqrt(F * (2 - F));
  const s = Math.sin(p);
  const t = Math.sinh(Math.atanh(s) - e * Math.atanh(e * s)); // of the conformal latitude
  const xi = Math.atan2(t, Math.cos(l));
  const eta = Math.asinh(Math.sin(l) / Math.hypot(t, Math.cos(l)));
  let x = eta;
  let y = xi;
  ALPHA.forEach((a, i) => {
    const k = 2 * (i + 1);
    x += a * Math.cos(k * xi) * Math.sinh(k * eta);
    y += a * Math.sin(k * xi) * Math.cosh(k * eta);
  });
  const north = SCALE * RECTIFYING * y;
  return [500_000 + SCALE * RECTIFYING * x, lat < 0 ? north + 10_000_000 : north];
}
