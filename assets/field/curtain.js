// The curtain: after minutes without a hand on the keyboard the page is hidden, not left. What was
// typed stays in its fields underneath, and the PIN brings it back.
const QUIET = ["keydown", "pointerdown", "wheel", "touchstart", "input"];

export function curtain() {
  const sheet = document.querySelector(".jb-curtain");
  if (!sheet) return;
  const pause = Number(sheet.dataset.idle) * 1000;
  const form = sheet.querySelector("form");
  const told = sheet.querySelector("[data-told]");
  const behind = [...document.body.children].filter((one) => one !== sheet);
  let last = Date.now();
  let returnTo = null;

  const draw = (closed) => {
    for (const one of behind) {
      one.inert = closed;
      one.classList.toggle("jb-veiled", closed);
    }
    sheet.hidden = !closed;
    if (closed) {
      returnTo = document.activeElement;
      told.textContent = "";
      form.elements.pin.value = "";
      form.elements.pin.focus();
    } else {
      last = Date.now();
      returnTo?.focus?.();
    }
  };
  const lock = () => {
    draw(true);
    fetch(sheet.dataset.lock, { method: "POST", body: new FormData(form) }).catch(() => {});
  };
  for (const kind of QUIET) {
    addEventListener(kind, () => { last = Date.now(); }, { passive: true, capture: true });
  }
  setInterval(() => {
    if (sheet.hidden && Date.now() - last > pause) lock();
  }, 1000);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const answer = await fetch(form.action, {
      method: "POST", body: new FormData(form), headers: { "X-Curtain": "1" },
    }).catch(() => null);
    if (answer?.ok) draw(false);
    else {
      told.textContent = answer ? await answer.text() : sheet.dataset.gone;
      form.elements.pin.value = "";
      form.elements.pin.focus();
    }
  });
}
