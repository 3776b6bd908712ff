// The list of posts: what is new waits behind a count, what is older comes when the end is near.
// Nothing that arrives moves what is being read.
import { get } from "./say.js";

// Only in case the stream is broken.
const EVERY = 60_000;
const MOST = 200;

export function start() {
  const feed = document.querySelector(".feed"), button = document.querySelector(".new-posts");
  if (!feed) return;
  if (button && document.body.dataset.member !== undefined) watch(feed, button);
  const older = document.querySelector(".pages a[rel=next]");
  if (older) append(feed, older);
}

function watch(feed, button) {
  const title = document.title;
  let waiting = [];
  const look = async () => {
    if (document.hidden || !navigator.onLine) return;
    const piece = await get(`${button.dataset.from}?min_id=${button.dataset.newest}`).catch(() => null);
    const fresh = [...(piece?.querySelectorAll("article") ?? [])].filter((one) => !document.getElementById(one.id));
    const newest = piece?.querySelector("[data-newest]")?.dataset.newest;
    if (newest && newest !== "0") button.dataset.newest = newest;
    if (!fresh.length) return;
    waiting = [...fresh, ...waiting];
    button.hidden = false;
    button.dataset.count = waiting.length;
    button.textContent = (waiting.length === 1 ? button.dataset.one : button.dataset.many).replace("#", waiting.length);
    document.title = `(${waiting.length}) ${title}`;
  };
  button.addEventListener("click", () => {
    feed.prepend(...waiting);
    waiting[0]?.focus({ preventScroll: scrollY > 600 });
    waiting = [];
    button.dataset.count = 0;
    document.title = title;
  });
  setInterval(look, EVERY);
  if (button.dataset.from === "/home") addEventListener("yl-home", look);
  document.addEventListener("visibilitychange", look);
}

function append(feed, link) {
  const observer = new IntersectionObserver(async ([seen]) => {
    if (!seen.isIntersecting || link.ariaBusy === "true") return;
    if (feed.children.length >= MOST) { observer.disconnect(); return; }
    link.ariaBusy = "true";
    try {
      const piece = await get(link.href);
      const next = piece.querySelector("a[rel=next]");
      feed.append(...[...piece.querySelectorAll("article")].filter((one) => !document.getElementById(one.id)));
      if (next) link.href = next.getAttribute("href");
      else { link.remove(); observer.disconnect(); }
    } finally {
      link.ariaBusy = "false";
    }
  }, { rootMargin: "800px" });
  observer.observe(link);
}
