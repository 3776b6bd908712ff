// Says things: a toast with at most one button, and words for screen readers. Sends forms as the server reads them.
const FRAGMENT = "text/vnd.yanlu.fragment+html";

export function toast(words, button, seconds = 6) {
  const box = document.createElement("div");
  box.className = "toast";
  box.append(Object.assign(document.createElement("span"), { textContent: words }));
  if (button) {
    const press = Object.assign(document.createElement("button"), { type: "button", textContent: button.words });
    press.addEventListener("click", () => { box.remove(); button.then(); });
    box.append(press);
  }
  document.getElementById("toasts").append(box);
  setTimeout(() => box.remove(), seconds * 1000);
  return box;
}

export function alert(words) {
  document.getElementById("alerts").textContent = words;
  toast(words);
}

// A line above the page, but only for what takes longer than 400 ms.
async function patiently(work) {
  let line;
  const timer = setTimeout(() => {
    line = Object.assign(document.createElement("div"), { className: "progress" });
    document.body.append(line);
  }, 400);
  try {
    return await work;
  } finally {
    clearTimeout(timer);
    line?.remove();
  }
}

export async function get(path) {
  const answer = await patiently(fetch(path, { headers: { Accept: FRAGMENT }, credentials: "same-origin" }));
  if (!answer.ok) throw new Error(await answer.text());
  return parse(await answer.text());
}

export async function send(path, data, more = {}) {
  const answer = await patiently(fetch(path, {
    method: "POST", body: new URLSearchParams(data), headers: { Accept: FRAGMENT }, credentials: "same-origin", ...more,
  }));
  if (answer.redirected && new URL(answer.url).pathname === "/login") location.assign(answer.url);
  const text = await answer.text();
  if (!answer.ok) throw new Error(new DOMParser().parseFromString(text, "text/html").body.textContent.trim());
  return parse(text);
}

function parse(text) {
  const page = new DOMParser().parseFromString(text, "text/html");
  const piece = document.createDocumentFragment();
  piece.append(...page.body.childNodes);
  return piece;
}
