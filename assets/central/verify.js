// The viewer beside the data, in place of a reload for each step: larger, smaller, turned; panes that
// show two papers move together; C copies the answer of the marked row. Without this file the same
// buttons are addresses.
const ZOOMS = [100, 150, 200, 300, 400];
const TURNS = [0, 90, 180, 270];

export function verify() {
  const viewer = document.querySelector("[data-viewer]");
  if (viewer) {
    tools(viewer);
    together(viewer);
    broken(viewer);
  }
  copying();
}

function pictures(viewer) {
  return [...viewer.querySelectorAll(".jb-pane img")];
}

// The class that begins so is taken forward (or back) in its list; the last stays where it is, a
// turn goes round.
function step(picture, start, all, by, round) {
  const old = all.find((one) => picture.classList.contains(start + one)) ?? all[0];
  const place = all.indexOf(old) + by;
  const next = round ? all[place % all.length] : all[Math.max(0, Math.min(all.length - 1, place))];
  picture.classList.replace(start + old, start + next);
}

function tools(viewer) {
  viewer.addEventListener("click", (event) => {
    const tool = event.target.closest("[data-tool]")?.dataset.tool;
    if (!tool) return;
    event.preventDefault();
    for (const picture of pictures(viewer)) {
      if (tool === "turn") step(picture, "jb-turn-", TURNS, 1, true);
      else step(picture, "jb-zoom-", ZOOMS, tool === "larger" ? 1 : -1, false);
    }
  });
}

function together(viewer) {
  const panes = [...viewer.querySelectorAll(".jb-pane")];
  let leader = null;
  for (const pane of panes) {
    for (const kind of ["pointerenter", "focus", "wheel"]) {
      pane.addEventListener(kind, () => { leader = pane; }, { passive: true });
    }
    pane.addEventListener("scroll", () => {
      if (pane !== leader) return;
      for (const other of panes) {
        if (other === pane) continue;
        other.scrollTop = (pane.scrollTop / pane.scrollHeight) * other.scrollHeight;
        other.scrollLeft = (pane.scrollLeft / pane.scrollWidth) * other.scrollWidth;
      }
    });
  }
}

// A picture that is whole by its head and cannot be drawn all the same: say so in its place.
function broken(viewer) {
  for (const picture of pictures(viewer)) {
    const say = () => {
      const pane = picture.closest(".jb-pane");
      const words = pane.parentElement.querySelector("[data-broken]");
      if (words) words.hidden = false;
      pane.hidden = true;
    };
    if (picture.complete && !picture.naturalWidth) say();
    else picture.addEventListener("error", say);
  }
}

function copying() {
  const told = document.querySelector("[data-copied]");
  if (!told) return;
  document.addEventListener("keydown", (event) => {
    if (event.key.toLowerCase() !== "c" || event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.target.matches?.("input, textarea, select")) return;
    const text = document.querySelector("tr[data-at]")?.dataset.copy;
    if (!text) return;
    event.preventDefault();
    navigator.clipboard?.writeText(text).then(() => { told.textContent = `✓ ${text}`; }, () => {});
  });
}
