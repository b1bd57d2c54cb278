// Keys printed on their buttons: data-key="F2" presses it. Ctrl+Enter sends the form of the field
// that has the focus. Letters are never taken while somebody types.
export function keys() {
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || document.querySelector(".jb-curtain:not([hidden])")) return;
    if (event.key === "Enter" && event.ctrlKey) {
      const form = event.target.closest?.("form") ?? document.querySelector("main form[data-main]");
      if (form) {
        event.preventDefault();
        form.requestSubmit();
      }
      return;
    }
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const button = document.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
    if (button) {
      event.preventDefault();
      button.click();
    }
  });
}
