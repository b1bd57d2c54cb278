// Files are chosen with a button of ours, in the language of the page; the browser's own speaks its
// own. What was chosen, photographed or signed is told beside it.
export function pick() {
  for (const told of document.querySelectorAll("[data-chosen]")) {
    const input = document.getElementById(told.dataset.chosen);
    input.addEventListener("change", () => {
      told.textContent = [...input.files].map((one) => one.name).join(", ");
    });
  }
}
