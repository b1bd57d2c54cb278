// Walking a list by keyboard: J and K move, X selects, Enter opens. A list says so with data-rows;
// what Enter opens is the first link of its row. One box with data-all selects every row.
export function rows() {
  const table = document.querySelector("[data-rows]");
  if (!table) return;
  const lines = [...table.querySelectorAll("tbody tr")];
  let at = -1;
  const go = (to) => {
    if (!lines.length) return;
    lines[at]?.removeAttribute("data-at");
    at = Math.max(0, Math.min(lines.length - 1, to));
    lines[at].setAttribute("data-at", "");
    (lines[at].querySelector("a") ?? lines[at]).focus({ preventScroll: true });
    lines[at].scrollIntoView({ block: "nearest" });
  };
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.target.matches?.("input:not([type=checkbox]), textarea, select")) return;
    if (document.querySelector("dialog[open]")) return;
    const key = event.key.toLowerCase();
    if (key === "j") go(at + 1);
    else if (key === "k") go(at - 1);
    else if (key === "x" && at >= 0) lines[at].querySelector("input[type=checkbox]")?.click();
    else return;
    event.preventDefault();
  });
  table.addEventListener("focusin", (event) => {
    const line = lines.indexOf(event.target.closest("tbody tr"));
    if (line < 0 || line === at) return;
    lines[at]?.removeAttribute("data-at");
    at = line;
    lines[at].setAttribute("data-at", "");
  });
  const all = table.querySelector("[data-all]");
  all?.addEventListener("change", () => {
    for (const box of table.querySelectorAll("tbody input[type=checkbox]")) box.checked = all.checked;
  });
}
