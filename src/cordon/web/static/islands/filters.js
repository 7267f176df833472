// Which rows of a frame are drawn: those of the layers that are switched on and that fit the
// filters of the address. The same rules stand in cordon.picture.desk.filters, for the table.

import { asked, put } from "../address.js";
import { word } from "../words.js";
import { FOUND, LISTED, STILL, UNKNOWN } from "./frames.js";

const TEXTS = ["kind", "source", "name"];
const NUMBERS = ["age", "least", "most"];
const FLAGS = ["moving", "listed", "found"];
export const KINDS = ["unknown", "vessel", "vehicle", "person", "aircraft"];
const GROUPS = ["unknown", "vessels", "land", "land", "aircraft"];
export const UNIT = 8; // code of an own unit beside its kind; SENSOR of a sensor
export const SENSOR = 6;

/** The filters that stand in the address. */
export function read() {
  const found = {};
  for (const name of TEXTS) if (asked(name)) found[name] = asked(name);
  for (const name of NUMBERS) {
    const value = Number.parseFloat(asked(name));
    if (Number.isFinite(value) && value >= 0) found[name] = value;
  }
  for (const name of FLAGS) if (!["", "0", "false"].includes(asked(name))) found[name] = true;
  return found;
}

/** The filters in a few words, or an empty text. */
export function told(filters) {
  const said = [];
  if (filters.kind) said.push(word(`kind-${KINDS.indexOf(filters.kind)}`));
  if (filters.moving) said.push(word("moving"));
  if (filters.age !== undefined) said.push(filters.age % 60 ? word("minutes", { n: filters.age }) : word("hours", { n: filters.age / 60 }));
  if (filters.least !== undefined || filters.most !== undefined) said.push(`${filters.least ?? 0}–${filters.most ?? "…"} kn`);
  if (filters.name) said.push(`“${filters.name}”`);
  if (filters.source) said.push(filters.source);
  if (filters.listed) said.push(word("listed"));
  if (filters.found) said.push(word("with-finding"));
  return said.join(", ");
}

/** Tie the form of filters to the address; `changed` is called with the new filters. */
export function bind(form, changed) {
  if (!form) return;
  const show = () => {
    const filters = read();
    for (const field of form.elements) {
      if (!field.name) continue;
      if (field.type === "checkbox") field.checked = Boolean(filters[field.name]);
      else if (document.activeElement !== field) field.value = filters[field.name] ?? "";
    }
    const line = document.querySelector("[data-filter-says]");
    const says = told(filters);
    if (line) line.textContent = says ? `: ${says}` : "";
    document.querySelector("[data-filter-open]")?.toggleAttribute("data-active", says !== "");
  };
  const take = () => {
    const values = {};
    for (const field of form.elements) if (field.name) values[field.name] = field.type === "checkbox" ? field.checked : field.value.trim();
    put(values);
    show();
    changed(read());
  };
  form.addEventListener("input", take);
  form.addEventListener("submit", (event) => { event.preventDefault(); take(); });
  form.addEventListener("reset", () => setTimeout(() => { for (const field of form.elements) if (field.name) { if (field.type === "checkbox") field.checked = false; else field.value = ""; } take(); }));
  show();
}

const COLUMNS = ["lat", "lon", "index", "course", "speed", "age", "kind", "flags"];

/**
 * The rows of a frame that are drawn, as a frame of the same shape; `total` says of how many.
 * Kinds of own units and sensors become their own codes; watched subjects get the flag LISTED.
 */
export function fitting(frame, filters, switches, marks) {
  const matching = filters.name || filters.source ? marks.matching : null;
  const kind = Uint8Array.from(frame.kind);
  const flags = Uint8Array.from(frame.flags);
  const rows = [];
  for (let i = 0; i < frame.count; i++) {
    const index = frame.index[i];
    const group = marks.units.has(index) ? "units" : marks.sensors.has(index) ? "sensors" : GROUPS[kind[i]] ?? "unknown";
    if (marks.listed.has(index)) flags[i] |= LISTED;
    if (!switches.has(group)) continue;
    if (filters.kind && KINDS[kind[i]] !== filters.kind) continue;
    if (filters.age !== undefined && frame.age[i] > filters.age * 60) continue;
    if (filters.least !== undefined && !(frame.speed[i] !== UNKNOWN && frame.speed[i] >= filters.least * 10)) continue;
    if (filters.most !== undefined && !(frame.speed[i] !== UNKNOWN && frame.speed[i] <= filters.most * 10)) continue;
    if (filters.moving && (flags[i] & STILL || frame.speed[i] === UNKNOWN)) continue;
    if (filters.found && !(flags[i] & FOUND)) continue;
    if (filters.listed && !(flags[i] & LISTED)) continue;
    if (matching && !matching.has(index)) continue;
    if (group === "units") kind[i] += UNIT;
    else if (group === "sensors") kind[i] = SENSOR;
    rows.push(i);
  }
  const whole = { ...frame, kind, flags, total: frame.count };
  if (rows.length === frame.count) return whole;
  const part = { ...whole, count: rows.length };
  for (const name of COLUMNS) {
    const column = whole[name];
    part[name] = new column.constructor(rows.length);
    for (let k = 0; k < rows.length; k++) part[name][k] = column[rows[k]];
  }
  return part;
}
