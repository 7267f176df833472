// The service worker of the field page: its shell opens where no node is heard, and what waits is
// sent when the phone is back, also with the page closed (where the browser knows background sync).
// It keeps the shell and static files and nothing else: no answer of the node passes through it.

import { sync } from "./sending.js";

const PAGE = "/field", PREFIX = "field-";

export function start(assets) {
  const name = PREFIX + assets.map((one) => one.split("v=")[1].slice(0, 4)).join("");

  self.addEventListener("install", (event) => {
    event.waitUntil((async () => {
      const cache = await caches.open(name);
      await Promise.all(assets.map(async (one) => { await cache.put(one, await whole(one)); }));
      await shell(cache);
      await self.skipWaiting();
    })());
  });

  self.addEventListener("activate", (event) => {
    event.waitUntil((async () => {
      const old = (await caches.keys()).filter((one) => one.startsWith(PREFIX) && one !== name);
      await Promise.all(old.map((one) => caches.delete(one)));
      await self.clients.claim();
    })());
  });

  self.addEventListener("fetch", (event) => {
    const { request } = event;
    const url = new URL(request.url);
    if (request.method !== "GET" || url.origin !== self.location.origin) return;
    if (request.mode === "navigate" && url.pathname === PAGE) event.respondWith(page(name, event));
    else if (url.pathname.startsWith("/static/")) event.respondWith(file(name, request));
  });

  self.addEventListener("sync", (event) => {
    if (event.tag === "field") event.waitUntil(sendAll());
  });
}

/** Send what waits; where the node is not heard this must fail, so that the browser tries again. */
async function sendAll() {
  const { way } = await sync();
  if (way === "away" || way === "busy") throw new Error(way);
}

async function whole(address) {
  const answer = await fetch(address, { cache: "no-cache" });
  if (!answer.ok || answer.redirected) throw new Error(`${answer.status} ${address}`);
  return answer;
}

/** Keep the page as the node draws it now; a sign-in page is not it. */
async function shell(cache) {
  const answer = await fetch(PAGE, { cache: "no-cache", credentials: "same-origin" });
  if (answer.ok && !answer.redirected) await cache.put(PAGE, answer.clone());
  return answer;
}

/** The kept page at once, and a look for a newer one behind it. */
async function page(name, event) {
  const cache = await caches.open(name);
  const kept = await cache.match(PAGE);
  const newer = shell(cache);
  if (!kept) return newer.then((answer) => (answer.redirected ? Response.redirect(answer.url) : answer));
  event.waitUntil(newer.catch(() => undefined));
  return kept;
}

async function file(name, request) {
  const cache = await caches.open(name);
  const kept = await cache.match(request, { ignoreSearch: true });
  if (kept) return kept;
  const answer = await fetch(request);
  if (answer.ok && new URL(request.url).pathname.includes("/fonts/")) await cache.put(request, answer.clone());
  return answer;
}
