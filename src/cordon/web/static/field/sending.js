// Sends what the phone kept: calls for help first, then acts in their order, positions, photos in
// parts. Only what the node has answered for is taken off the phone. One tab or worker sends at a
// time. No page is needed.

import * as kept from "./kept.js";
import { NotReached, arrived, part, post, state as ask } from "./reaching.js";

/** The phone's time, as the node reads it. */
export const stamp = () => new Date().toISOString();

/** How far the phone's clock is behind the node's (ms), as it was last measured; null before. */
export async function offset() {
  return (await kept.get("meta", "offset"))?.ms ?? null;
}

/**
 * Speak with the node once, and send all there is.
 * Answers {way, says}: `near`, or `away`, `sign-in`, `refused`, `busy`, or `elsewhere` (another tab sends).
 */
export function sync() {
  const work = (lock) => (lock === null ? { way: "elsewhere", says: "" } : once());
  return navigator.locks ? navigator.locks.request("cordon-field", { ifAvailable: true }, work) : once();
}

const once = () => within(async () => {
  const told = await asked();
  await call(told);
  const sent = (await sendActs(told)) + (await sendFixes(told)) + (await sendPhotos(told));
  if (sent) await asked();
});

/** Ask how things stand and keep it, and send nothing: also while something long is being sent. */
export const look = () => within(asked);

async function within(work) {
  try {
    await work();
    return { way: "near", says: "" };
  } catch (error) {
    if (error instanceof NotReached) return { way: error.why, says: error.message };
    throw error;
  }
}

/** One question after another, so that an older answer never takes the place of a newer one. */
const asked = () => (navigator.locks ? navigator.locks.request("cordon-field-state", state) : state());

/** Ask how things stand, measure the phone's clock by it, and keep it. */
async function state() {
  const before = Date.now();
  const told = await ask();
  const after = Date.now();
  // the answer was written somewhere between the question and its coming
  const ms = Math.round(Date.parse(told.now) - (before + after) / 2);
  await kept.put("meta", { ms, within: Math.round((after - before) / 2) }, "offset");
  if ((await kept.get("meta", "officer")) !== told.officer.id) {
    await kept.forget();
    await kept.put("meta", told.officer.id, "officer");
  }
  const { csrf, ...shown } = told; // the token is of the session, and stays in memory
  await kept.put("shown", shown, "state");
  return told;
}

/** Say a call for help again until somebody has answered it. */
async function call(told) {
  const panic = await kept.get("shown", "panic");
  if (!panic || panic.officer !== told.officer.id) return;
  const heard = await post("/panic", told.csrf, {
    id: panic.id, phone: await kept.phone(panic.officer), at: panic.at, sent_at: stamp(),
    offset_ms: panic.offset_ms, fix: panic.fix ?? null, safe: panic.safe ?? false,
  });
  const now = await kept.get("shown", "panic"); // the officer may have said more meanwhile
  if (now?.id !== panic.id) return;
  if (heard.state === "ended") await kept.remove("shown", "panic");
  else await kept.put("shown", { ...now, heard: { state: heard.state, answered_at: heard.answered_at } }, "panic");
}

async function sendActs(told) {
  const { csrf, officer, limits } = told;
  let sent = 0;
  for (;;) {
    const waiting = (await kept.acts(officer.id)).filter((one) => one.state === "waiting").slice(0, limits.acts);
    if (!waiting.length) return sent;
    const answer = await post("/sync", csrf, {
      phone: await kept.phone(officer.id), officer: officer.id, sent_at: stamp(), acts: waiting.map((one) => one.act),
    });
    for (const [place, one] of waiting.entries()) {
      const { id, outcome, why } = answer.answers[place];
      // what the node knows by its id it has kept, done or not; it tells of it from then on
      if (id === one.id) await kept.remove("acts", one.id);
      else await kept.put("acts", { ...one, state: "refused", why });
      if (id === one.id && outcome !== "applied") await refusedPhoto(one.id, why);
    }
    sent += waiting.length;
  }
}

async function refusedPhoto(id, why) {
  const photo = await kept.get("photos", id);
  if (photo) await kept.put("photos", { ...photo, state: "refused", why });
}

async function sendFixes({ csrf, officer, limits }) {
  let sent = 0;
  for (;;) {
    const some = await kept.fixes(officer.id, limits.fixes);
    if (!some.length) return sent;
    const answer = await post("/sync", csrf, {
      phone: await kept.phone(officer.id), officer: officer.id, sent_at: stamp(), fixes: some.map((one) => one.fix),
    });
    await kept.dropFixes(officer.id, answer.fixes);
    sent += some.length;
  }
}

/** Each photo from where the node has it; a break costs one part at most. */
async function sendPhotos({ csrf, officer, limits }) {
  const waiting = new Set((await kept.acts(officer.id)).map((one) => one.id));
  let sent = 0;
  for (const photo of await kept.photos(officer.id)) {
    if (photo.state !== "waiting" || waiting.has(photo.id)) continue; // first its act
    let here = await arrived(photo.id);
    while (here.state === "arriving") {
      const bytes = photo.blob.slice(here.received, here.received + limits.part);
      here = await part(photo.id, csrf, here.received, bytes);
    }
    if (here.state === "kept") await kept.remove("photos", photo.id);
    else await kept.put("photos", { ...photo, state: "refused", why: "hash" });
    sent += 1;
  }
  return sent;
}
