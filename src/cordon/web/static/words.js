// What the scripts say, from the catalogue: the page carries it in <template id="words">, and a room
// that has words of its own beside it in <template data-words>.

const words = new Map();
for (const page of document.querySelectorAll("template#words, template[data-words]")) {
  for (const item of page.content.querySelectorAll("[data-word]")) words.set(item.dataset.word, item.textContent);
}

/** A message by its name, with `{n}` and the like filled in. */
export function word(name, values = {}) {
  const text = words.get(name) ?? name;
  return text.replace(/\{(\w+)\}/g, (whole, key) => (key in values ? String(values[key]) : whole));
}

/** An element with attributes and children; text only ever becomes text. */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== undefined && value !== null && value !== false) made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children);
  return made;
}

/** Show a notice that a screen reader reads out; `kind` is calm, notice or grave. */
export function notice(text, kind = "notice") {
  const place = document.getElementById("notices");
  if (!place) return;
  for (const old of place.children) if (old.firstChild?.textContent === text) old.remove();
  place.append(element("p", { class: `toast ${kind}` }, text,
    element("button", { type: "button", class: "bare", "data-dismiss": true, "aria-label": word("dismiss") }, "×")));
}
