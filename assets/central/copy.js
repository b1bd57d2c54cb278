// Copying one field after the other into another program: each button copies the text it stands
// beside and says so; the key goes on to the next one. Without script the text is simply selected.
export function copying() {
  const buttons = [...document.querySelectorAll("button[data-copy]")];
  for (const button of buttons) {
    button.hidden = false;
    button.addEventListener("click", async () => {
      const text = document.getElementById(button.dataset.copy)?.textContent ?? "";
      try {
        await navigator.clipboard.writeText(text.trim());
      } catch {
        return;
      }
      for (const other of buttons) other.removeAttribute("data-copied");
      button.setAttribute("data-copied", button.dataset.done);
      const next = buttons[buttons.indexOf(button) + 1];
      if (!button.dataset.key || !next) return;
      next.dataset.key = button.dataset.key;
      delete button.dataset.key;
      next.scrollIntoView({ block: "nearest" });
      next.focus({ preventScroll: true });
    });
  }
}
