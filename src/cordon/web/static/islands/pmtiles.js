// The operator's own tiles: one PMTiles 3 file on the node, read by byte ranges. Written after the
// specification (header of 127 bytes, directories of varints, tiles by their place on a Hilbert
// curve). Directories are kept once read.

const HEAD = 127;
const FIRST = 16_384; // header and root directory stand within these bytes
const KINDS = ["", "vector", "png", "jpeg", "webp", "avif"];

async function range(url, start, length) {
  const answer = await fetch(url, { headers: { Range: `bytes=${start}-${start + length - 1}` } });
  if (!answer.ok) throw new Error(`tiles: ${answer.status}`);
  const bytes = await answer.arrayBuffer();
  return answer.status === 206 ? bytes : bytes.slice(start, start + length);
}

async function unpacked(bytes, packing) {
  if (packing !== 2) return bytes;
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).arrayBuffer();
}

/** The header's numbers; offsets and lengths in bytes, bounds and centre in degrees. */
export function header(buffer) {
  const view = new DataView(buffer);
  const long = (at) => Number(view.getBigUint64(at, true));
  const degrees = (at) => view.getInt32(at, true) / 1e7;
  const magic = new TextDecoder().decode(new Uint8Array(buffer, 0, 7));
  if (magic !== "PMTiles" || view.getUint8(7) !== 3) throw new Error("no PMTiles of version 3");
  return {
    root: [long(8), long(16)], metadata: [long(24), long(32)], leaves: long(40), tiles: long(56),
    packing: view.getUint8(97), tilePacking: view.getUint8(98), kind: KINDS[view.getUint8(99)],
    minzoom: view.getUint8(100), maxzoom: view.getUint8(101),
    bounds: [degrees(102), degrees(106), degrees(110), degrees(114)],
  };
}

/** Entries of a directory: id of the first tile, offset, length, and how many tiles run on (0: a leaf). */
export function directory(buffer) {
  const bytes = new Uint8Array(buffer);
  let at = 0;
  const varint = () => {
    let value = 0;
    let weight = 1;
    for (;;) {
      const byte = bytes[at++];
      value += (byte & 0x7f) * weight;
      if (byte < 0x80) return value;
      weight *= 128;
      if (at > bytes.length || weight > 2 ** 56) throw new Error("a broken directory");
    }
  };
  const count = varint();
  if (count > bytes.length) throw new Error("a broken directory");
  const entries = Array.from({ length: count }, () => ({ id: 0, run: 0, length: 0, offset: 0 }));
  let id = 0;
  for (const entry of entries) entry.id = id += varint();
  for (const entry of entries) entry.run = varint();
  for (const entry of entries) entry.length = varint();
  entries.forEach((entry, i) => {
    const told = varint();
    entry.offset = told === 0 && i > 0 ? entries[i - 1].offset + entries[i - 1].length : told - 1;
  });
  return entries;
}

/** The id of a tile: all tiles of the zooms above it, and its place on the Hilbert curve. */
export function tileId(z, x, y) {
  let id = (4 ** z - 1) / 3;
  let [a, b] = [x, y];
  for (let s = 2 ** (z - 1); s >= 1; s /= 2) {
    const rx = Math.floor(a / s) % 2;
    const ry = Math.floor(b / s) % 2;
    id += s * s * ((3 * rx) ^ ry);
    if (ry === 0) {
      if (rx === 1) [a, b] = [s - 1 - (a % s), s - 1 - (b % s)];
      [a, b] = [b, a];
    }
  }
  return id;
}

/** The entry that holds a tile, or null. */
export function entryOf(entries, id) {
  let low = 0;
  let high = entries.length - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    if (entries[middle].id <= id) low = middle + 1;
    else high = middle - 1;
  }
  const entry = entries[high];
  if (!entry) return null;
  return entry.run === 0 || id - entry.id < entry.run ? entry : null;
}

class Archive {
  #url;
  #directories = new Map();

  constructor(url, head, root) {
    this.#url = url;
    this.head = head;
    this.root = root;
  }

  static async open(url) {
    const first = await range(url, 0, FIRST);
    const head = header(first);
    const [at, length] = head.root;
    const packed = at + length <= first.byteLength ? first.slice(at, at + length) : await range(url, at, length);
    return new Archive(url, head, directory(await unpacked(packed, head.packing)));
  }

  async metadata() {
    const [at, length] = this.head.metadata;
    if (!length) return {};
    const bytes = await unpacked(await range(this.#url, at, length), this.head.packing);
    return JSON.parse(new TextDecoder().decode(bytes));
  }

  #leaf(entry) {
    if (!this.#directories.has(entry.offset)) {
      const read = range(this.#url, this.head.leaves + entry.offset, entry.length)
        .then((bytes) => unpacked(bytes, this.head.packing)).then(directory);
      read.catch(() => this.#directories.delete(entry.offset));
      this.#directories.set(entry.offset, read);
    }
    return this.#directories.get(entry.offset);
  }

  /** A tile's bytes, or null where the file has none there. */
  async tile(z, x, y) {
    const id = tileId(z, x, y);
    let entries = this.root;
    for (let depth = 0; depth < 4; depth++) {
      const entry = entryOf(entries, id);
      if (!entry) return null;
      if (entry.run > 0) return unpacked(await range(this.#url, this.head.tiles + entry.offset, entry.length), this.head.tilePacking);
      entries = await this.#leaf(entry);
    }
    return null;
  }
}

/** A source of MapLibre for a PMTiles file, with the layers that its metadata names. */
export async function source(maplibre, url) {
  const archive = await Archive.open(url);
  const { head } = archive;
  maplibre.addProtocol("pmtiles", async ({ url: asked }) => {
    const [, z, x, y] = /(\d+)\/(\d+)\/(\d+)$/.exec(asked).map(Number);
    const data = await archive.tile(z, x, y);
    return { data: data ?? new ArrayBuffer(0) };
  });
  const layers = head.kind === "vector" ? ((await archive.metadata()).vector_layers ?? []).map((l) => String(l.id)) : [];
  const spec = {
    type: head.kind === "vector" ? "vector" : "raster", tiles: ["pmtiles://node/{z}/{x}/{y}"],
    minzoom: head.minzoom, maxzoom: head.maxzoom, bounds: head.bounds,
  };
  if (spec.type === "raster") spec.tileSize = 256;
  return { spec, layers };
}
