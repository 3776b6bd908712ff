// One stream for all tabs of a browser: whichever tab holds the lock listens, and tells the others.
const channel = "BroadcastChannel" in window ? new BroadcastChannel("yl-live") : null;
const NAMES = ["home", "notices"];

export function start() {
  if (document.body.dataset.member === undefined || !channel || !navigator.locks) return;
  channel.addEventListener("message", ({ data }) => tell(data));
  navigator.locks.request("yl-live", () => new Promise((leave) => {
    const stream = new EventSource("/live");
    for (const name of NAMES) {
      stream.addEventListener(name, ({ data }) => {
        const told = { name, data };
        channel.postMessage(told);
        tell(told);
      });
    }
    addEventListener("pagehide", () => { stream.close(); leave(); }, { once: true });
  }));
  addEventListener("yl-notices", ({ detail }) => badge(Number(detail)));
}

function tell({ name, data }) {
  dispatchEvent(new CustomEvent(`yl-${name}`, { detail: data }));
}

function badge(count) {
  const place = document.querySelector('.sections a[href="/notifications"]');
  if (!place) return;
  let mark = place.querySelector(".badge");
  if (!count) { mark?.remove(); return; }
  if (!mark) {
    mark = Object.assign(document.createElement("span"), { className: "badge" });
    place.append(mark);
  }
  mark.textContent = count > 99 ? "99+" : count;
}
