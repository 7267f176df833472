// MIL-STD-2525 symbols (APP-6) for the codes of frames, drawn by milsymbol into one picture that
// the shader takes them from. Loaded only where somebody asks for them.
//
// Affiliation is told sparingly: own units and sensors are friends, everything else is unknown.
// Nobody is drawn as hostile or suspect, because no position says so.

import { token } from "./style.js";

const CELL = 64;
/** Symbol codes (2525C) by the code of a row: five kinds, own sensors, and from 8 own units by kind. */
const CODES = {
  0: "SUZP-----------", 1: "SUSP-----------", 2: "SUGPEV---------", 3: "SUGP-----------", 4: "SUAP-----------",
  6: "SFGPES---------",
  8: "SFGPU----------", 9: "SFSP-----------", 10: "SFGPEV---------", 11: "SFGPU----------", 12: "SFAP-----------",
};

let made = null;

/** The picture of all symbols, sixteen cells in a row. */
export async function atlas() {
  if (made) return made;
  await import("../vendor/milsymbol.js"); // a plain script: it leaves `ms` behind
  const canvas = document.createElement("canvas");
  canvas.width = 16 * CELL;
  canvas.height = CELL;
  const pen = canvas.getContext("2d");
  for (const [code, sidc] of Object.entries(CODES)) {
    const symbol = new globalThis.ms.Symbol(sidc, { size: 42, outlineWidth: 6, outlineColor: token("sea") });
    const drawn = symbol.asCanvas(1);
    const scale = Math.min(1, (CELL - 4) / Math.max(drawn.width, drawn.height));
    const [w, h] = [drawn.width * scale, drawn.height * scale];
    pen.drawImage(drawn, Number(code) * CELL + (CELL - w) / 2, (CELL - h) / 2, w, h);
  }
  made = canvas;
  return made;
}
