// Theme and language: kept in cookies, so that the next page is drawn right from its first byte.

function keep(name, value) {
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = `${name}=${value}; Path=/; Max-Age=31536000; SameSite=Lax${secure}`;
}

export function toggleTheme() {
  const root = document.documentElement;
  root.dataset.theme = root.dataset.theme === "light" ? "dark" : "light";
  keep("cordon_theme", root.dataset.theme);
}

export function chooseLanguage(code) {
  keep("cordon_lang", code);
  location.reload();
}
