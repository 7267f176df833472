// The keyboard: `?` lists what it does. Letters never act while something is being typed, and
// can be switched off (WCAG 2.1.4).

const OFF = "cordon.keys.off";
const AFTER_G_MS = 1500;
let wentAt = 0;

export const lettersOff = () => localStorage.getItem(OFF) === "1";
export const switchLetters = (off) => (off ? localStorage.setItem(OFF, "1") : localStorage.removeItem(OFF));

const typing = (target) =>
  target instanceof Element && (target.closest("input, textarea, select, [contenteditable=true]") !== null);

/** The letter that was meant: on an Urdu keyboard too, where the key itself gives another one. */
function letter(event) {
  if (event.key.length === 1 && event.key.charCodeAt(0) < 128) return event.key;
  if (event.code === "Comma" || event.code === "Period") return event.code === "Comma" ? "," : ".";
  return /^Key[A-Z]$/.test(event.code) ? event.code[3].toLowerCase() : event.key;
}

const rows = () => [...document.querySelectorAll("[data-row]")];
export const selectedRow = () => document.querySelector("[data-row][data-selected]");

export function select(row) {
  for (const other of document.querySelectorAll("[data-row][data-selected]")) {
    delete other.dataset.selected;
    other.querySelector("a")?.removeAttribute("aria-current");
  }
  if (!row) return;
  row.dataset.selected = "";
  const link = row.querySelector("a");
  link?.setAttribute("aria-current", "true");
  link?.focus({ preventScroll: true });
  row.scrollIntoView({ block: "nearest" });
}

function move(step) {
  const all = rows();
  if (!all.length) return false;
  const at = all.indexOf(selectedRow());
  select(all[at < 0 ? (step > 0 ? 0 : all.length - 1) : Math.min(all.length - 1, Math.max(0, at + step))]);
  return true;
}

function find() {
  const field = document.querySelector("[data-find]");
  if (!field) return false;
  field.closest("form").classList.add("open");
  field.focus();
  field.select();
  return true;
}

/**
 * An act by its letter: of the selected row, else of whatever on the page bears that key.
 * A row says by `data-act-x` which page the letter opens, by `data-post-x` what it does at once;
 * the list around it holds the form that is sent for that, and says where to come back to.
 */
function act(key) {
  const row = selectedRow();
  const list = row?.closest("[data-list]");
  const href = row?.getAttribute(`data-act-${key}`);
  const post = row?.getAttribute(`data-post-${key}`);
  const form = post && list?.querySelector("form[data-post]");
  const shown = [...document.querySelectorAll(`[data-key="${key}"]`)].find((e) => e.checkVisibility());
  if (shown && !((href || form) && shown.closest("[data-row]"))) shown.click();
  else if (form) {
    form.action = post;
    form.requestSubmit();
  } else if (href) {
    const to = new URL(href, location.href);
    if (list?.dataset.back) to.searchParams.set("back", list.dataset.back);
    location.assign(to);
  } else return false;
  return true;
}

function press(key) {
  if (Date.now() - wentAt < AFTER_G_MS) {
    wentAt = 0;
    const room = document.querySelector(`[data-go="${CSS.escape(key)}"]`);
    if (room) room.click();
    return Boolean(room);
  }
  switch (key) {
    case "j": return move(1);
    case "k": return move(-1);
    case "g": wentAt = Date.now(); return true;
    case "?": document.getElementById("keys")?.showModal(); return true;
    case "Enter": {
      if (document.activeElement !== document.body) return false; // a focused link opens itself
      const link = selectedRow()?.querySelector("a") ?? document.querySelector('[data-key="Enter"]');
      if (!link) return false;
      link.click();
      return true;
    }
    default: return /^[a-z,.]$/.test(key) && act(key);
  }
}

export function listen() {
  document.addEventListener("keydown", (event) => {
    const key = letter(event);
    if ((event.ctrlKey || event.metaKey) && !event.altKey && key.toLowerCase() === "k") {
      if (find()) event.preventDefault();
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.defaultPrevented) return;
    if (typing(event.target) || document.querySelector("dialog[open]") || lettersOff()) return;
    if (press(key)) event.preventDefault();
  });
  document.addEventListener("focusin", (event) => {
    const row = event.target.closest?.("[data-row]");
    if (row && !("selected" in row.dataset)) select(row);
  });
}
