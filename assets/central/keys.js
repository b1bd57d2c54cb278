// Keys printed on their buttons: data-key="n" presses it, or gives it the focus where it is typed
// into. "?" shows them all. Letters are never taken while somebody types, nor a key held with
// Control, Alt or Command, except Ctrl+Enter, which sends the form of the field with the focus by its
// first button.
const TYPED = "input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable]";

export function keys() {
  const help = document.querySelector("[data-help]");
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented) return;
    if (event.key === "Enter" && event.ctrlKey) {
      const form = event.target.closest?.("form") ?? document.querySelector("main form[data-main]");
      if (form) {
        event.preventDefault();
        form.requestSubmit(form.querySelector("button:not([type=button])"));
      }
      return;
    }
    if (event.ctrlKey || event.altKey || event.metaKey || help?.open) return;
    const typing = event.target.matches?.(TYPED);
    if (typing && event.key.length === 1) return;
    if (event.key === "?" && help) {
      event.preventDefault();
      help.showModal();
      return;
    }
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    const found = document.querySelector(`[data-key="${CSS.escape(key)}"]`);
    if (!found) return;
    event.preventDefault();
    if (found.matches(TYPED)) {
      found.focus();
      found.select?.();
    } else found.click();
  });
  help?.querySelector("[data-close]")?.addEventListener("click", () => help.close());
  document.querySelector("[data-open-help]")?.addEventListener("click", (event) => {
    event.preventDefault();
    help?.showModal();
  });
}
