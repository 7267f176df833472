// What the field page asks in dialogs: words, a form, a photo. Each answers null where it was left.

import { element, word } from "../words.js";

function dialog(title, action, fields, read) {
  const said = element("p", { class: "error", role: "alert" });
  const form = element("form", { method: "dialog", class: "stack", novalidate: true },
    element("h2", {}, title), ...fields, said,
    element("div", { class: "row" }, element("button", { class: "button first", value: "go" }, action),
      element("button", { class: "button", value: "", type: "button", "data-leave": true }, word("field-leave"))));
  const box = element("dialog", { class: "ask", "aria-label": title }, form);
  document.body.append(box);
  box.showModal();
  return new Promise((resolve) => {
    form.addEventListener("submit", async (event) => {
      event.preventDefault(); // what was typed stays until it can be used
      const [value, wrong] = await read(form);
      if (wrong) return void (said.textContent = wrong);
      resolve(value);
      box.close();
    });
    form.addEventListener("input", () => { said.textContent = ""; });
    form.querySelector("[data-leave]").addEventListener("click", () => box.close());
    box.addEventListener("close", () => { resolve(null); box.remove(); });
  });
}

/** Words of at least `least` characters. */
export function askWords(title, action, least) {
  const area = element("textarea", { id: "ask-words", rows: 5, dir: "auto", required: true, maxlength: 4000 });
  return dialog(title, action, [element("div", { class: "field" }, element("label", { for: "ask-words" }, word("field-least", { n: least })), area)],
    () => (area.value.trim().length < least ? [null, word("field-least", { n: least })] : [area.value.trim(), ""]));
}

/** A kind of form, then its fields: {form, values}. */
export async function askForm(forms, lang) {
  const name = await choose(word("field-which-form"), forms.map((one) => [one.name, one.title[lang] ?? one.title.en]));
  if (name === null) return null;
  const form = forms.find((one) => one.name === name);
  const words = (labels) => labels[lang] ?? labels.en;
  const fields = form.fields.map((one) => field(one, words));
  return dialog(words(form.title), word("field-keep"), fields, (asked) => {
    const values = {};
    for (const one of form.fields) {
      const value = read(asked.elements[one.name], one);
      if (value === undefined) return [null, word("field-wrong", { name: words(one.label) })];
      if (value === null && one.required) return [null, word("field-missing", { name: words(one.label) })];
      if (value !== null) values[one.name] = value;
    }
    return [{ form: name, values }, ""];
  });
}

function choose(title, options) {
  const box = element("dialog", { class: "ask", "aria-label": title }, element("h2", {}, title));
  return new Promise((resolve) => {
    const list = element("div", { class: "stack" });
    for (const [value, text] of options) {
      const one = element("button", { type: "button", class: "button wide", "data-form": value }, text);
      one.addEventListener("click", () => { resolve(value); box.close(); });
      list.append(one);
    }
    const leave = element("button", { type: "button", class: "button wide" }, word("field-leave"));
    leave.addEventListener("click", () => box.close());
    box.append(list, leave);
    box.addEventListener("close", () => { resolve(null); box.remove(); });
    document.body.append(box);
    box.showModal();
  });
}

function field(one, words) {
  const id = `ask-${one.name}`, label = words(one.label);
  const optional = one.required ? "" : element("span", { class: "faint" }, ` ${word("field-optional")}`);
  if (one.type === "yes_no") {
    const side = (value) => element("label", { class: "check" }, element("input", { type: "radio", name: one.name, value }), element("span", {}, word(`field-${value}`)));
    return element("fieldset", { class: "field" }, element("legend", {}, label, optional), element("div", { class: "row" }, side("yes"), side("no")));
  }
  const control = one.type === "choice"
    ? element("select", { id, name: one.name }, element("option", { value: "" }, word("field-choose")), ...one.choices.map((c) => element("option", { value: c.value }, words(c.label))))
    : one.type === "number" ? element("input", { id, name: one.name, inputmode: "decimal", dir: "ltr", autocomplete: "off" })
      : one.most > 200 ? element("textarea", { id, name: one.name, rows: 3, dir: "auto", maxlength: one.most }) : element("input", { id, name: one.name, dir: "auto", maxlength: one.most, autocomplete: "off" });
  return element("div", { class: "field" }, element("label", { for: id }, label, optional), control);
}

/** A field's value, null where it is empty, undefined where it cannot be used. */
function read(control, one) {
  const text = control.value.trim();
  if (!text) return null;
  if (one.type === "yes_no") return text === "yes";
  if (one.type !== "number") return text;
  const number = Number(text);
  return Number.isFinite(number) && number >= one.least && number <= one.most ? number : undefined;
}

/** A photo with its hash, taken before anything is sent: {blob, sha256}. */
export function askPhoto(limits) {
  const input = element("input", { id: "ask-photo", type: "file", accept: limits.photo_types.join(","), capture: "environment" });
  const fields = [element("div", { class: "field" }, element("label", { for: "ask-photo" }, word("field-photo-which")), input,
    element("p", { class: "faint" }, word("field-photo-hash")))];
  return dialog(word("field-photo"), word("field-keep"), fields, async () => {
    const [file] = input.files;
    if (!file) return [null, word("field-photo-none")];
    if (!limits.photo_types.includes(file.type)) return [null, word("field-photo-type")];
    if (file.size > limits.photo || file.size === 0) return [null, word("field-photo-size", { n: Math.floor(limits.photo / 2 ** 20) })];
    const bytes = await file.arrayBuffer();
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
    const sha256 = Array.from(digest, (one) => one.toString(16).padStart(2, "0")).join("");
    // the bytes, not the file: that may be gone from the phone before it is sent
    return [{ blob: new Blob([bytes], { type: file.type }), sha256 }, ""];
  });
}
