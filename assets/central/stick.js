// A whole stick is chosen: only the bundles on it are sent, not the films beside them.
export function sticks() {
  for (const input of document.querySelectorAll("input[webkitdirectory][data-only]")) {
    input.addEventListener("change", () => {
      const kept = new DataTransfer();
      for (const file of input.files) {
        if (file.name.toLowerCase().endsWith(input.dataset.only)) kept.items.add(file);
      }
      if (kept.files.length !== input.files.length) input.files = kept.files;
    });
  }
}
