// Single keys for whole pages. Arrows stay the reader's; nothing happens in a field, while composing, or with a modifier.
const GO = { h: "/home", l: "/local", n: "/notifications", b: "/bookmarks", s: "/settings" };
let armed = 0;

export function start() {
  document.addEventListener("keydown", onKey);
  document.querySelector("#keys")?.addEventListener("click", (event) => {
    if (event.target.id === "keys") event.target.close();
  });
}

function onKey(event) {
  if (event.defaultPrevented || event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "Escape") return close();
  if (document.body.dataset.keys === "off" || event.target.closest("input, textarea, select, dialog, [contenteditable]")) return;
  const act = Date.now() - armed < 1200 ? go : document.querySelector("[data-console]") ? decide : read;
  armed = 0;
  if (act(event.key, event)) event.preventDefault();
}

function go(key) {
  const own = document.querySelector(".me .menu-list a")?.getAttribute("href");
  const path = key === "p" ? own : GO[key];
  if (path) location.assign(path);
  return Boolean(path);
}

function read(key, event) {
  const here = document.activeElement?.closest?.("article.post, article.told");
  switch (key) {
    case "j": return move(here, 1);
    case "k": return move(here, -1);
    case "o": return press(here, ".when a.u-url, .facts a.u-url, .excerpt");
    case "Enter": return document.activeElement === here && press(here, ".when a.u-url, .excerpt");
    case "r": return press(here, ".act.reply");
    case "b": return press(here, ".act.boost");
    case "f": return press(here, ".act.like");
    case "d": return press(here, ".act.bookmark");
    case "m": return press(here, ".menu > summary");
    case "x": return press(here, ".cw > summary, .veiled > summary");
    case "n": case "c": return write();
    case ".": return press(document, ".new-posts:not([hidden])");
    case "/": return focus("input[type=search]") || (location.assign("/search"), true);
    case "g": armed = Date.now(); return true;
    case "?": document.querySelector("#keys")?.showModal(); return true;
    default: return false;
  }
}

function decide(key) {
  if (key === "j" || key === "k") {
    const rows = [...document.querySelectorAll(".queue-row")];
    const at = rows.indexOf(document.activeElement);
    rows[Math.min(Math.max(at + (key === "j" ? 1 : -1), 0), rows.length - 1)]?.focus();
    return rows.length > 0;
  }
  if (key === "?") { document.querySelector("#keys")?.showModal(); return true; }
  return press(document, `[data-key="${CSS.escape(key)}"]`);
}

function move(here, step) {
  const posts = [...document.querySelectorAll("article.post:not([hidden]), article.told")];
  if (!posts.length) return false;
  const top = document.querySelector(".head")?.getBoundingClientRect().bottom ?? 0;
  let at = posts.indexOf(here);
  // With nothing chosen yet, start from what is on the screen, not from the top of the page.
  if (at < 0) at = posts.findIndex((one) => one.getBoundingClientRect().top >= top - 4) - (step > 0 ? 1 : 0);
  const next = posts[Math.min(Math.max(at + step, 0), posts.length - 1)];
  next.focus({ preventScroll: true });
  scrollTo({ top: next.getBoundingClientRect().top + scrollY - top - 1 });
  return true;
}

function press(root, selector) {
  const found = root?.querySelector?.(selector);
  found?.click();
  return Boolean(found);
}

function focus(selector) {
  const found = [...document.querySelectorAll(selector)].find((one) => one.offsetParent);
  found?.focus();
  return Boolean(found);
}

function write() {
  return focus(".composer textarea[name=status]") || (location.assign("/compose"), true);
}

function close() {
  for (const menu of document.querySelectorAll("details.menu[open], details.alt[open]")) {
    menu.open = false;
    if (menu.contains(document.activeElement)) menu.querySelector("summary").focus();
  }
}
