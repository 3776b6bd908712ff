// The composer, made quicker: it counts as the server does, keeps what is typed, shows pictures beside their
// descriptions, and sends with Ctrl+Enter. Without it the same form works.
const SAVE_AFTER = 500;
const URL_LENGTH = 23;
const SENT = "yl-sent";

export function start() {
  const sent = sessionStorage.getItem(SENT);
  // The draft goes only once the server has confirmed: a page with a message and without an error.
  if (sent && document.querySelector(".flash") && !document.querySelector(".verdict, .error-summary")) localStorage.removeItem(sent);
  sessionStorage.removeItem(SENT);
  document.querySelectorAll("form.composer").forEach((form) => new Composer(form));
}

class Composer {
  constructor(form) {
    this.form = form;
    this.text = form.elements.status;
    this.counter = form.querySelector(".counter");
    this.limit = Number(form.dataset.limit);
    this.key = `yl-draft-${form.dataset.draft}`;
    this.pictures = [];
    this.reminded = false;
    this.furnish();
    this.restore();
    this.count();
  }

  furnish() {
    const { form, text } = this;
    const line = form.querySelector(".upload-line"), input = form.elements.media, fold = form.querySelector("[data-fold]");
    form.querySelector(".tool-buttons").hidden = false;
    line.hidden = true;
    if (fold) fold.hidden = true;
    input.removeAttribute("name");
    form.querySelector("[data-do=pictures]").addEventListener("click", () => input.click());
    form.querySelector("[data-do=warning]").addEventListener("click", (event) => {
      if (!fold) return;
      fold.hidden = !fold.hidden;
      event.currentTarget.ariaPressed = String(!fold.hidden);
      (fold.hidden ? text : form.elements.spoiler_text).focus();
    });
    input.addEventListener("change", () => { this.add(input.files); input.value = ""; });
    text.addEventListener("input", () => { form.classList.add("open"); this.count(); this.save(); });
    text.addEventListener("paste", (event) => { if (event.clipboardData.files.length) { event.preventDefault(); this.add(event.clipboardData.files); } });
    text.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && !event.isComposing) form.requestSubmit();
    });
    for (const [name, on] of [["dragover", true], ["dragleave", false], ["drop", false]]) {
      form.addEventListener(name, (event) => {
        if (!event.dataTransfer.types.includes("Files")) return;
        event.preventDefault();
        form.classList.toggle("dropping", on);
        if (name === "drop") this.add(event.dataTransfer.files);
      });
    }
    form.addEventListener("submit", (event) => this.submit(event));
  }

  add(files) {
    const box = this.form.querySelector(".files"), line = this.form.querySelector(".upload-line");
    const room = Number(this.form.dataset.most) - box.children.length;
    for (const file of [...files].filter((one) => one.type.startsWith("image/")).slice(0, room)) {
      const transfer = new DataTransfer();
      transfer.items.add(file);
      const row = this.row(file, transfer.files);
      box.append(row);
      row.querySelector("textarea").focus();
    }
    line.hidden = !box.children.length;
    for (const part of line.querySelectorAll(".field")) part.hidden = true;
    this.form.classList.add("open");
  }

  row(file, files) {
    const row = document.createElement("div"), alt = this.form.elements.alts;
    row.className = "file";
    const picture = Object.assign(new Image(96, 96), { alt: "", src: URL.createObjectURL(file) });
    const words = Object.assign(document.createElement("textarea"), { name: "alt", maxLength: 1500, placeholder: this.form.dataset.describe });
    words.ariaLabel = alt.labels[0]?.textContent ?? "";
    const away = Object.assign(document.createElement("button"), { type: "button", className: "tool", textContent: "×", ariaLabel: this.form.dataset.remove });
    const carrier = Object.assign(document.createElement("input"), { type: "file", name: "media", hidden: true });
    carrier.files = files;
    away.addEventListener("click", () => { URL.revokeObjectURL(picture.src); row.remove(); this.text.focus(); });
    row.append(picture, words, away, carrier);
    return row;
  }

  // Code points, an address as 23, a mention without its server.
  length() {
    const words = this.text.value
      .replace(/https?:\/\/[^\s\u3000-\u303f\uff00-\uffef\u4e00-\u9fff]+/g, "x".repeat(URL_LENGTH))
      .replace(/(^|[^\w/])@([A-Za-z0-9_]+)@[A-Za-z0-9.-]+\w(:\d+)?/g, "$1@$2");
    return [...words].length + [...(this.form.elements.spoiler_text.value)].length;
  }

  count() {
    const left = this.limit - this.length(), { counter } = this;
    counter.textContent = left < this.limit ? left : "";
    const state = left < 0 ? "over" : left < this.limit * 0.05 ? "near" : left < this.limit * 0.2 ? "soon" : "";
    counter.classList.toggle("near", state === "near" || state === "soon");
    counter.classList.toggle("over", state === "over");
    if (state !== this.state && state) {
      document.getElementById("toasts").dataset.said = state;
      counter.ariaLabel = (left < 0 ? counter.dataset.over : counter.dataset.near).replace("#", Math.abs(left));
      counter.role = "status";
    }
    this.state = state;
  }

  save() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      const { status, spoiler_text: spoiler } = this.form.elements;
      if (status.value.trim()) localStorage.setItem(this.key, JSON.stringify({ text: status.value, spoiler: spoiler.value }));
      else localStorage.removeItem(this.key);
    }, SAVE_AFTER);
  }

  restore() {
    const kept = localStorage.getItem(this.key), prefilled = this.text.value;
    if (!kept || this.form.querySelector(".verdict, .error")) return;
    const { text, spoiler } = JSON.parse(kept);
    if (!text.startsWith(prefilled.trim()) || this.form.dataset.draft.startsWith("edit")) return;
    this.text.value = text;
    this.form.elements.spoiler_text.value ||= spoiler;
    this.form.classList.add("open");
  }

  submit(event) {
    const press = this.form.querySelector(".button.primary");
    if (press.ariaBusy === "true") { event.preventDefault(); return; }
    const bare = [...this.form.querySelectorAll("textarea[name=alt]")].find((one) => !one.value.trim());
    if (bare && !this.reminded) {
      this.reminded = true;
      event.preventDefault();
      bare.placeholder = this.form.dataset.remind;
      bare.focus();
      return;
    }
    press.ariaBusy = "true";
    sessionStorage.setItem(SENT, this.key);
  }
}
