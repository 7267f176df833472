// Signing out of a browser that has the field page: what the node told is wiped first. What was not
// sent stays, for its officer alone to send. The shell holds nothing of anybody.

import { forget } from "./kept.js";

/** Wipe what is shown, then let the form go. */
export async function leave(form) {
  try {
    if (await navigator.serviceWorker?.getRegistration("/field")) await forget();
  } catch {
    // the browser keeps nothing: signing out must not hang on it
  }
  form.submit();
}
