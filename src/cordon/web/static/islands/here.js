// Fills a form's latitude and longitude with where the device is. Its element is a button with
// data-lat-field and data-lon-field, their ids; it tells a failure below itself. The page draws it
// disabled, and it can be pressed only once it listens.

import { element, word } from "../words.js";

export function mount(place, { latField, lonField }) {
  if (!("geolocation" in navigator)) {
    place.hidden = true;
    return;
  }
  const says = element("p", { class: "faint", role: "status" }, "");
  place.after(says);
  place.addEventListener("click", () => {
    place.disabled = true;
    says.textContent = word("here-wait");
    navigator.geolocation.getCurrentPosition(
      ({ coords }) => {
        document.getElementById(latField).value = coords.latitude.toFixed(6);
        document.getElementById(lonField).value = coords.longitude.toFixed(6);
        says.textContent = word("here-found").replace("{n}", Math.round(coords.accuracy));
        place.disabled = false;
      },
      () => {
        says.textContent = word("here-failed");
        place.disabled = false;
      },
      { enableHighAccuracy: true, timeout: 15000, maximumAge: 60000 },
    );
  });
  place.disabled = false;
}
