// What the field page keeps on the phone, in IndexedDB: acts, positions and photos that were not sent
// yet, each officer's apart, and the last that the node told. No page is needed: the service worker
// reads it too.
//
// meta   by name: who was signed in last, the phone's clock, per officer the phone's id and counters
// acts   {id, officer, number, act, state, why}: state is waiting, or refused where the node keeps it not
// photos {id, officer, tasking, blob, size, state}
// fixes  {officer, number, fix}
// shown  by name: `state` as the node told it, `panic` as it was called

const NAME = "cordon-field", VERSION = 1;
let opened = null;

function open() {
  opened ??= new Promise((resolve, reject) => {
    const asked = indexedDB.open(NAME, VERSION);
    asked.onupgradeneeded = () => {
      const db = asked.result;
      db.createObjectStore("meta");
      db.createObjectStore("shown");
      db.createObjectStore("acts", { keyPath: "id" }).createIndex("in-order", ["officer", "number"]);
      db.createObjectStore("photos", { keyPath: "id" }).createIndex("of", "officer");
      db.createObjectStore("fixes", { keyPath: ["officer", "number"] });
    };
    asked.onsuccess = () => {
      asked.result.onversionchange = () => { asked.result.close(); opened = null; };
      resolve(asked.result);
    };
    asked.onerror = () => { opened = null; reject(asked.error); };
  });
  return opened;
}

const done = (request) => new Promise((resolve, reject) => {
  request.onsuccess = () => resolve(request.result);
  request.onerror = () => reject(request.error);
});

/** Run `work(store, …)` in one transaction; what it returns comes once that is on the disk. */
async function within(names, mode, work) {
  const db = await open();
  const transaction = db.transaction(names, mode, { durability: "strict" });
  const ended = new Promise((resolve, reject) => {
    transaction.oncomplete = resolve;
    transaction.onerror = transaction.onabort = () => reject(transaction.error ?? new Error("aborted"));
  });
  const result = await work(...names.map((name) => transaction.objectStore(name)));
  await ended;
  return result;
}

export const get = (store, key) => within([store], "readonly", (s) => done(s.get(key)));
export const put = (store, value, key) => within([store], "readwrite", (s) => done(s.put(value, key)));
export const remove = (store, key) => within([store], "readwrite", (s) => done(s.delete(key)));

/** The phone's id for an officer: made once, and another one for another officer. */
export function phone(officer) {
  return within(["meta"], "readwrite", async (meta) => {
    const key = `phone:${officer}`;
    let id = await done(meta.get(key));
    if (!id) await done(meta.put(id = crypto.randomUUID(), key));
    return id;
  });
}

/** Keep an act under the next number of its officer, with its photo where it has one. */
export function keepAct(officer, act, blob = null) {
  return within(["meta", "acts", "photos"], "readwrite", async (meta, acts, photos) => {
    const number = ((await done(meta.get(`number:${officer}`))) ?? 0) + 1;
    const id = act.id ?? crypto.randomUUID();
    meta.put(number, `number:${officer}`);
    acts.put({ id, officer, number, act: { ...act, id, number }, state: "waiting", why: "" });
    if (blob) photos.put({ id, officer, tasking: act.tasking, blob, size: blob.size, state: "waiting" });
    return id;
  });
}

/** Acts of an officer that are on the phone, in their order. */
export const acts = (officer) =>
  within(["acts"], "readonly", (s) => done(s.index("in-order").getAll(IDBKeyRange.bound([officer, 0], [officer, Infinity]))));

export const photos = (officer) => within(["photos"], "readonly", (s) => done(s.index("of").getAll(officer)));

/** Keep a position under the next number of its officer. */
export function keepFix(officer, fix) {
  return within(["meta", "fixes"], "readwrite", async (meta, fixes) => {
    const number = ((await done(meta.get(`fix:${officer}`))) ?? 0) + 1;
    meta.put(number, `fix:${officer}`);
    fixes.put({ officer, number, fix: { ...fix, number } });
  });
}

const fixRange = (officer, upto = Infinity) => IDBKeyRange.bound([officer, 0], [officer, upto]);
export const fixes = (officer, most) => within(["fixes"], "readonly", (s) => done(s.getAll(fixRange(officer), most)));
export const dropFixes = (officer, upto) => within(["fixes"], "readwrite", (s) => done(s.delete(fixRange(officer, upto))));

/** How much of other officers waits on this phone. */
export async function ofOthers(officer) {
  const all = await within(["acts"], "readonly", (s) => done(s.getAll()));
  return all.filter((one) => one.officer !== officer && one.state === "waiting").length;
}

/** What is shown goes; what was not sent stays, for its officer to send. */
export async function forget() {
  await within(["shown", "meta"], "readwrite", async (shown, meta) => {
    shown.clear();
    meta.delete("officer");
  });
}
