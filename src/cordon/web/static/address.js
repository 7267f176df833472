// Filters, layers and a replay's moment stand in the page's address, so that a view can be sent to
// another officer. Nothing is loaded anew: the address follows what is on the screen.

/** A parameter of the address, or an empty text. */
export const asked = (name) => new URLSearchParams(location.search).get(name) ?? "";

/** Set parameters of the address; an empty value takes one out. The fragment stays. */
export function put(values) {
  const params = new URLSearchParams(location.search);
  for (const [name, value] of Object.entries(values)) {
    if (value === "" || value === null || value === undefined || value === false) params.delete(name);
    else params.set(name, value === true ? "1" : String(value));
  }
  const query = params.toString().replaceAll("%2C", ",").replaceAll("%3A", ":");
  const next = `${location.pathname}${query ? `?${query}` : ""}${location.hash}`;
  if (next !== location.pathname + location.search + location.hash) history.replaceState(history.state, "", next);
}
