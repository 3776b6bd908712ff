// One press, at once: the button flips, the server answers with the same row of buttons, a failure flips it back.
import { alert, send, toast } from "./say.js";

const UNDO_SECONDS = 6;
const words = document.body.dataset;

export function start() {
  document.addEventListener("submit", onSubmit);
  document.addEventListener("click", onClick);
}

async function onSubmit(event) {
  const form = event.target, press = event.submitter;
  if (!form.matches("form[data-live]") || !press) return;
  event.preventDefault();
  if (form.ariaBusy === "true") return;
  form.ariaBusy = "true";
  const before = flip(press);
  try {
    const piece = await send(press.formAction, new FormData(form));
    const fresh = piece.querySelector("form");
    const name = [...press.classList].find((one) => one !== "act" && one !== "just");
    form.replaceWith(fresh);
    const again = fresh.querySelector(`.act.${name}`);
    again?.classList.add("just");
    again?.focus({ preventScroll: true });
  } catch (error) {
    unflip(press, before);
    form.ariaBusy = "false";
    alert(error.message || words.failed);
  }
}

function flip(press) {
  const count = press.querySelector(".count"), on = press.ariaPressed === "true";
  const before = { pressed: press.ariaPressed, count: count?.textContent };
  press.ariaPressed = String(!on);
  if (count && /^\d*$/.test(count.textContent)) {
    const next = Number(count.textContent || 0) + (on ? -1 : 1);
    count.textContent = next > 0 ? next : "";
  }
  return before;
}

function unflip(press, before) {
  press.ariaPressed = before.pressed;
  const count = press.querySelector(".count");
  if (count) count.textContent = before.count;
}

function onClick(event) {
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
  const link = event.target.closest?.("article.post .menu-list a[href$='/delete']");
  if (link && !event.metaKey && !event.ctrlKey && !document.querySelector(".in-focus")) {
    event.preventDefault();
    deleteLater(link);
  }
}

// Gone at once, and sent only when the time to undo is over or the page is left.
function deleteLater(link) {
  const post = link.closest("article"), form = link.closest("form");
  const next = post.nextElementSibling ?? post.previousElementSibling;
  post.hidden = true;
  next?.focus?.({ preventScroll: true });
  let done = false;
  const finish = async () => {
    if (done) return;
    done = true;
    removeEventListener("pagehide", finish);
    try {
      await send(link.getAttribute("href"), new FormData(form), { keepalive: true, redirect: "manual" });
      post.remove();
    } catch (error) {
      post.hidden = false;
      alert(error.message || words.failed);
    }
  };
  const timer = setTimeout(finish, UNDO_SECONDS * 1000);
  addEventListener("pagehide", finish);
  toast(words.deleted, {
    words: words.undo,
    then: () => { done = true; clearTimeout(timer); removeEventListener("pagehide", finish); post.hidden = false; post.focus(); },
  }, UNDO_SECONDS);
}
