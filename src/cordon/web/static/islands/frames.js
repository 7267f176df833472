// Live positions over a binary WebSocket. The latest frame wins: one that was overtaken before it
// could be drawn is dropped, so that what is seen is never a queue behind what is known.

// The layout is that of cordon.picture.live.LivePicture.frame: a header of 32 bytes, then columns of
// n values each. The node sends whole pictures, so that dropping one loses nothing.
const MAGIC = 0x50444e43; // "CNDP", little-endian
const COLUMNS = [
  ["lat", Float64Array], ["lon", Float64Array], ["index", Uint32Array], ["course", Uint16Array],
  ["speed", Uint16Array], ["age", Uint16Array], ["kind", Uint8Array], ["flags", Uint8Array],
];
export const UNKNOWN = 0xffff;
export const STILL = 2;
export const FOUND = 4; // a finding speaks of it
export const LISTED = 8; // it is on the watch list; set here, never by the node
const SIGNED_OUT = 4401;

/** Columns of one frame, as views on its bytes: course in deg·10, speed in kn·10, age in s. */
export function decode(buffer) {
  const head = new DataView(buffer);
  if (buffer.byteLength < 32 || head.getUint32(0, true) !== MAGIC) throw new Error("not a frame");
  if (head.getUint16(4, true) !== 1) throw new Error("a frame of another version: reload the page");
  const frame = { count: head.getUint32(8, true), seq: head.getUint32(12, true), time: head.getFloat64(24, true) };
  let at = head.getUint16(6, true);
  for (const [name, Kind] of COLUMNS) {
    frame[name] = new Kind(buffer, at, frame.count); // throws RangeError where the frame is cut short
    at += frame.count * Kind.BYTES_PER_ELEMENT;
  }
  return frame;
}

/** Keep a socket open, coming back with growing waits; `onFrame` gets raw bytes as they come. */
export function connect(url, onFrame, onState) {
  const address = new URL(url, location.href);
  address.protocol = address.protocol.replace("http", "ws");
  let wait = 1000;
  let closed = false;
  let socket = null;
  const open = () => {
    if (closed) return;
    socket = new WebSocket(address);
    socket.binaryType = "arraybuffer";
    socket.onmessage = ({ data }) => {
      wait = 1000;
      if (data instanceof ArrayBuffer) onFrame(data);
    };
    socket.onopen = () => onState("open");
    socket.onclose = ({ code }) => {
      if (code === SIGNED_OUT) return location.reload(); // the server shows sign-in
      onState("closed");
      setTimeout(open, wait * (0.75 + Math.random() / 2)); // not all at once, after a restart
      wait = Math.min(wait * 2, 30_000);
      return undefined;
    };
  };
  open();
  addEventListener("pagehide", () => { closed = true; socket?.close(); });
  addEventListener("pageshow", (event) => { if (event.persisted) { closed = false; open(); } });
}
