// Moments in the clock's zone as <input type="datetime-local"> writes them, and back.

const parts = (ms, zone) => Object.fromEntries(new Intl.DateTimeFormat("en-CA", {
  timeZone: zone, hourCycle: "h23", year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit",
}).formatToParts(ms).map((p) => [p.type, p.value]));

/** A moment (ms since 1970) as `2026-01-17T13:30` in a zone. */
export function toLocal(ms, zone) {
  const p = parts(ms, zone);
  return `${p.year}-${p.month}-${p.day}T${p.hour}:${p.minute}`;
}

/** The moment (ms since 1970) that a zone's clock shows as this text. */
export function fromLocal(text, zone) {
  const meant = Date.parse(`${text}Z`);
  let found = meant;
  // twice, because the zone's distance from UTC may differ between the guess and the moment
  for (let i = 0; i < 2; i++) found = meant - (Date.parse(`${toLocal(found, zone)}Z`) - found + (found % 60_000));
  return found;
}
