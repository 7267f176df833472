// Hearing from the node at once that something changed, instead of at the next question. Nothing is
// told here but that the page should ask. Where the socket breaks, the page asks by the clock as before.

const SILENCE_MS = 40_000, FIRST_MS = 1000, LONGEST_MS = 30_000;
let socket = null, pause = FIRST_MS, again = null, silence = null;

/** True while the node is heard. */
export const heard = () => socket?.readyState === WebSocket.OPEN;

/**
 * Keep a socket open while `page.reached()` holds.
 * `page.changed()`: ask now. `page.ended()`: the session is over, or nobody is heard any more.
 */
export function hear(page) {
  if (socket !== null || again !== null || !page.reached()) return;
  const mine = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/api/operations/field/live`);
  socket = mine;
  mine.onopen = () => {
    pause = FIRST_MS;
    alive(mine, page);
    page.changed(); // what came while no socket was open
  };
  mine.onmessage = ({ data }) => {
    alive(mine, page);
    if (data === "changed") page.changed();
  };
  mine.onclose = () => lost(mine, page);
  alive(mine, page);
}

/** Let go of the socket; `hear` opens another one. */
export function deaf() {
  clearTimeout(again);
  clearTimeout(silence);
  const old = socket;
  socket = again = null;
  old?.close();
}

/** A network that is gone says nothing: a socket that is silent for too long is none. */
function alive(mine, page) {
  clearTimeout(silence);
  silence = setTimeout(() => { mine.close(); lost(mine, page); }, SILENCE_MS);
}

function lost(mine, page) {
  if (socket !== mine) return;
  socket = null;
  clearTimeout(silence);
  // not all phones at once when a node comes back
  again = setTimeout(() => { again = null; hear(page); }, pause * (0.5 + Math.random()));
  pause = Math.min(2 * pause, LONGEST_MS);
  page.ended();
}
