// Every page works without this file; with it, it is quicker and can be undone.
import { start as acts } from "./acts.js";
import { start as comments } from "./comments.js";
import { start as composer } from "./composer.js";
import { start as feed } from "./feed.js";
import { start as keys } from "./keys.js";
import { start as live } from "./live.js";

acts();
comments();
composer();
feed();
keys();
live();

document.getElementById("errors")?.focus();
document.querySelector("article:target")?.focus({ preventScroll: true });
// A page that comes back from the browser's own cache shows its buttons as they are now, not as they were left.
addEventListener("pageshow", (event) => {
  if (event.persisted) document.querySelectorAll("[aria-busy=true]").forEach((one) => { one.ariaBusy = "false"; });
});
