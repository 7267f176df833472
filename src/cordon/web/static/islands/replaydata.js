// Stored positions of a span as cordon.picture.desk.replaying writes them, and the picture of any
// moment in it. What is drawn of a moment is what was known then: each craft at its last report,
// with that report's age. Nothing is drawn between two reports that nobody reported.

import { STILL, UNKNOWN } from "./frames.js";

const MAGIC = 0x50524e43; // "CNRP", little-endian
const HALF_A_KNOT = 5; // tenths

/** A replay's columns and names from its bytes. */
export function decode(buffer) {
  const head = new DataView(buffer);
  if (buffer.byteLength < 40 || head.getUint32(0, true) !== MAGIC) throw new Error("not a replay");
  if (head.getUint16(4, true) !== 1) throw new Error("a replay of another version: reload the page");
  const rows = head.getUint32(8, true);
  const count = head.getUint32(12, true);
  const told = { rows, count, since: head.getFloat64(16, true), until: head.getFloat64(24, true), step: head.getFloat32(32, true) };
  let at = head.getUint16(6, true);
  const length = head.getUint32(36, true);
  Object.assign(told, JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, at, length))));
  at += length;
  for (const [name, Kind, size] of [
    ["starts", Uint32Array, count + 1], ["t", Uint32Array, rows], ["lat", Int32Array, rows],
    ["lon", Int32Array, rows], ["course", Uint16Array, rows], ["speed", Uint16Array, rows],
  ]) {
    told[name] = new Kind(buffer, at, size); // throws RangeError where the answer is cut short
    at += size * Kind.BYTES_PER_ELEMENT;
  }
  return told;
}

/** The row of each subject at a moment (tenths of a second after the begin): its last, or -1. */
function rowsAt(data, tenths) {
  const found = new Int32Array(data.count);
  for (let s = 0; s < data.count; s++) {
    let low = data.starts[s];
    let high = data.starts[s + 1] - 1;
    const first = low;
    while (low <= high) {
      const middle = (low + high) >> 1;
      if (data.t[middle] <= tenths) low = middle + 1;
      else high = middle - 1;
    }
    found[s] = high >= first ? high : -1;
  }
  return found;
}

/** The picture of a moment (s since the epoch), as a frame of the live socket has it. */
export function frameAt(data, time, oldest = 24 * 3600) {
  const tenths = Math.round((time - data.since) * 10);
  const rows = rowsAt(data, tenths);
  const kept = [];
  for (let s = 0; s < rows.length; s++) if (rows[s] >= 0 && tenths - data.t[rows[s]] <= oldest * 10) kept.push(s);
  const n = kept.length;
  const frame = {
    count: n, seq: 0, time,
    lat: new Float64Array(n), lon: new Float64Array(n), index: new Uint32Array(n), course: new Uint16Array(n),
    speed: new Uint16Array(n), age: new Uint16Array(n), kind: new Uint8Array(n), flags: new Uint8Array(n),
  };
  kept.forEach((s, k) => {
    const row = rows[s];
    frame.lat[k] = data.lat[row] / 1e6;
    frame.lon[k] = data.lon[row] / 1e6;
    frame.index[k] = s;
    frame.course[k] = data.course[row];
    frame.speed[k] = data.speed[row];
    frame.age[k] = Math.min(0xfffe, Math.round((tenths - data.t[row]) / 10));
    frame.kind[k] = data.kinds[s];
    frame.flags[k] = data.speed[row] !== UNKNOWN && data.speed[row] < HALF_A_KNOT ? STILL : 0;
  });
  return frame;
}

/** Where a subject was up to a moment, from `back` seconds before it, as GeoJSON coordinates. */
export function wayOf(data, subject, time, back) {
  const to = (time - data.since) * 10;
  const from = to - back * 10;
  const way = [];
  for (let row = data.starts[subject]; row < data.starts[subject + 1]; row++) {
    if (data.t[row] >= from && data.t[row] <= to) way.push([data.lon[row] / 1e6, data.lat[row] / 1e6]);
  }
  return way;
}

/** The nearest moment (s) after or before a time at which somebody reported, or null. */
export function reportNext(data, time, forward) {
  const tenths = (time - data.since) * 10;
  let best = null;
  for (let s = 0; s < data.count; s++) {
    for (let row = forward ? data.starts[s] : data.starts[s + 1] - 1; row >= data.starts[s] && row < data.starts[s + 1]; row += forward ? 1 : -1) {
      const t = data.t[row];
      if (forward ? t > tenths + 0.5 : t < tenths - 0.5) {
        if (best === null || (forward ? t < best : t > best)) best = t;
        break;
      }
    }
  }
  return best === null ? null : data.since + best / 10;
}
