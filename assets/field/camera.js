// A photograph by the laptop's camera, put into the file input of the form as if it had been chosen
// there. Without a camera, or without this script, a file is chosen instead.
const WANTED = { video: { width: { ideal: 2560 }, height: { ideal: 1440 }, facingMode: "environment" } };

// Whether this browser has a camera, where the readiness check asks.
async function cameras() {
  const told = document.querySelector("[data-cameras]");
  if (!told || !navigator.mediaDevices?.enumerateDevices) return;
  const some = (await navigator.mediaDevices.enumerateDevices()).some((one) => one.kind === "videoinput");
  told.textContent = some ? told.dataset.some : told.dataset.none;
  const mark = told.previousElementSibling.querySelector("[aria-hidden]");
  mark.textContent = some ? "✓" : "!";
  mark.className = some ? "jb-mark-good" : "jb-mark-warn";
}

export function camera() {
  cameras();
  for (const box of document.querySelectorAll("[data-camera]")) {
    if (!navigator.mediaDevices?.getUserMedia) return;
    box.hidden = false;
    const [open, take] = [box.querySelector("[data-open]"), box.querySelector("[data-take]")];
    const view = box.querySelector("[data-view]");
    const video = box.querySelector("video");
    const told = box.querySelector("[data-told]");
    const input = document.getElementById(box.dataset.camera);
    const place = box.closest("form").elements.place;
    const frame = () => view.classList.toggle("jb-portrait", /\.photo$/.test(place.value));
    place.addEventListener("change", frame);
    frame();
    open.addEventListener("click", async () => {
      try {
        video.srcObject = await navigator.mediaDevices.getUserMedia(WANTED);
        await video.play();
        view.hidden = false;
        take.focus();
      } catch {
        told.textContent = told.dataset.none;
      }
    });
    take.addEventListener("click", () => {
      const canvas = document.createElement("canvas");
      canvas.width = video.videoWidth;
      canvas.height = video.videoHeight;
      canvas.getContext("2d").drawImage(video, 0, 0);
      canvas.toBlob((blob) => {
        const chosen = new DataTransfer();
        for (const file of input.files) chosen.items.add(file);
        chosen.items.add(new File([blob], `foto-${chosen.items.length + 1}.jpg`, { type: "image/jpeg" }));
        input.files = chosen.files;
        input.dispatchEvent(new Event("change"));
        told.textContent = told.dataset.taken;
      }, "image/jpeg", 0.95);
    });
    addEventListener("pagehide", () => video.srcObject?.getTracks().forEach((one) => one.stop()));
  }
}
