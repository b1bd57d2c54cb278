// What a laptop's pages do beyond plain forms. Everything here only spares a click or a reload:
// each page works without it.
import "htmx.org";
import { camera } from "./camera.js";
import { curtain } from "./curtain.js";
import { keys } from "./keys.js";

document.documentElement.classList.add("js-on");

// The list of what is wrong is read out first.
document.querySelector(".govuk-error-summary, [data-focus]")?.focus();

// A second click on a button that is being obeyed does nothing.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.hasAttribute("hx-post")) return;
  if (form.dataset.sent) {
    event.preventDefault();
    return;
  }
  form.dataset.sent = "1";
  setTimeout(() => delete form.dataset.sent, 5000);
});
// A page that the browser kept and shows again may be stale, and may belong to somebody else.
addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});

camera();
keys();
curtain();
