// Comments worked through with single keys. What was decided goes at once, and is sent when the time to undo is over.
import { alert, send, toast } from "./say.js";

const UNDO_SECONDS = 6;
const EXPLAINED = new Set(["hide", "remove", "block"]);
const STAYS = new Set(["pin", "unpin", "close", "refer", "unblock"]);
const KEYS = { a: ["approve", "unhide"], h: ["hide"], r: ["remove"], p: ["pin", "unpin"], c: ["close"], b: ["block", "unblock"], e: ["refer"] };
let form, undo;

export function start() {
  form = document.querySelector("form[data-comments]");
  if (!form) return;
  form.addEventListener("submit", onSubmit);
  // Before the keys of the page: here they decide about comments.
  document.addEventListener("keydown", onKey, true);
  document.addEventListener("click", onLeave);
}

// The next page must not show what is decided and not sent yet.
async function onLeave(event) {
  const link = event.target.closest?.("a[href]");
  if (!link || !undo || event.metaKey || event.ctrlKey || event.defaultPrevented || link.origin !== location.origin) return;
  event.preventDefault();
  await undo.finish();
  location.assign(link.href);
}

function onKey(event) {
  if (event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
  if (document.body.dataset.keys === "off") return;
  if (event.target.closest("input:not([type=checkbox]), textarea, select, dialog, [contenteditable]")) return;
  const here = document.activeElement?.closest?.(".comment-row");
  if (event.key === "j" || event.key === "k") move(here, event.key === "j" ? 1 : -1);
  else if (event.key === "x" && here) here.querySelector("[name=ids]").click();
  else if (event.key === "u" && undo) undo();
  else if (!(event.key in KEYS) || !act(KEYS[event.key], here)) return;
  event.preventDefault();
  event.stopPropagation();
}

function rows() {
  return [...form.querySelectorAll(".comment-row:not([hidden])")];
}

function move(here, step) {
  const all = rows();
  all[Math.min(Math.max(all.indexOf(here) + step, 0), all.length - 1)]?.focus();
}

function act(names, here) {
  const chosen = rows().filter((row) => row.querySelector("[name=ids]").checked);
  if (chosen.length) return decide(names[0], chosen);
  const button = names.map((name) => here?.querySelector(`[data-act=${name}]`)).find(Boolean);
  return button ? decide(button.dataset.act, [here]) : false;
}

function onSubmit(event) {
  const press = event.submitter;
  if (!press?.value) return;
  event.preventDefault();
  const row = press.closest(".comment-row");
  const chosen = row ? [row] : rows().filter((one) => one.querySelector("[name=ids]").checked);
  decide(press.dataset.act ?? press.dataset.bulk, chosen);
}

// Gone at once; sent when the six seconds are over, or the page is left.
function decide(name, chosen) {
  if (!chosen.length) return false;
  const reason = form.querySelector("[name=reason]"), statement = form.querySelector("[name=statement]");
  if (EXPLAINED.has(name) && !reason.value && !statement.value.trim()) {
    alert(form.dataset.needsReason);
    reason.focus();
    return true;
  }
  undo?.finish();
  const data = new FormData();
  for (const [key, value] of [["csrf", form.elements.csrf.value], ["act", name], ["reason", reason.value], ["statement", statement.value]]) data.append(key, value);
  for (const row of chosen) data.append("ids", row.id.slice(2));
  const waiting = chosen.filter((row) => row.dataset.state === "waiting").length;
  const goes = !STAYS.has(name), all = rows(), at = all.indexOf(chosen.at(-1));
  const next = all.slice(at + 1).concat(all.slice(0, at).reverse()).find((row) => !chosen.includes(row));
  for (const row of chosen) { row.hidden = goes; row.querySelector("[name=ids]").checked = false; }
  if (goes) { count(-waiting); next?.focus(); }
  let done = false;
  const back = () => { for (const row of chosen) row.hidden = false; if (goes) count(waiting); chosen[0].focus(); };
  const finish = async () => {
    if (done) return;
    end();
    try {
      const piece = await send(form.action, data, { keepalive: true });
      if (goes) chosen.forEach((row) => row.remove());
      else toast(piece.textContent.trim());
    } catch (error) {
      back();
      alert(error.message || document.body.dataset.failed);
    }
  };
  const end = () => { done = true; clearTimeout(timer); box.remove(); removeEventListener("pagehide", finish); if (undo === mine) undo = undefined; };
  const mine = () => { if (!done) { end(); back(); } };
  mine.finish = finish;
  undo = mine;
  const timer = setTimeout(finish, UNDO_SECONDS * 1000);
  addEventListener("pagehide", finish);
  const words = form.querySelector(`[data-act=${name}] span, [data-bulk=${name}]`)?.firstChild.textContent.trim() ?? "";
  const box = toast(chosen.length > 1 ? `${words} · ${chosen.length}` : words, { words: form.dataset.undone, then: mine }, UNDO_SECONDS);
  return true;
}

function count(step) {
  const figure = document.querySelector("[data-waiting]");
  const now = Number(figure?.textContent);
  if (figure && !Number.isNaN(now)) figure.textContent = Math.max(now + step, 0);
}
