// Speaking with the node: every question has an end, and says why where there is no answer.

const BASE = "/api/operations/field";

/** Why a question was not answered: `away`, `sign-in`, `refused` or `busy`. */
export class NotReached extends Error {
  constructor(why, says = "") {
    super(says || why);
    this.why = why;
  }
}

async function ask(path, { csrf = "", wait = 20_000, ...options } = {}) {
  let answer;
  try {
    answer = await fetch(BASE + path, {
      ...options, redirect: "manual", cache: "no-store", signal: AbortSignal.timeout(wait),
      headers: { Accept: "application/json", "X-CSRF-Token": csrf, ...options.headers },
    });
  } catch {
    throw new NotReached("away");
  }
  if (answer.ok) return answer.json();
  const told = await answer.json().catch(() => ({}));
  if (answer.status === 401 || answer.type === "opaqueredirect") throw new NotReached("sign-in");
  if (answer.status >= 500 || answer.status === 429 || answer.status === 409) throw new NotReached("busy", told.message);
  throw new NotReached("refused", [told.message, told.advice].filter(Boolean).join(" "));
}

export const state = () => ask("/state");
export const post = (path, csrf, body) =>
  ask(path, { csrf, method: "POST", body: JSON.stringify(body), headers: { "Content-Type": "application/json" } });
export const arrived = (photo) => ask(`/photos/${photo}`);
export const part = (photo, csrf, offset, bytes) =>
  ask(`/photos/${photo}?offset=${offset}`, { csrf, method: "PUT", body: bytes, wait: 60_000, headers: { "Content-Type": "application/octet-stream" } });
