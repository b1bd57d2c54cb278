// What every page does beyond plain forms, in both houses. It only spares a click: each page works
// without it.
export function page() {
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
}
