// A photograph by the laptop's camera, put into the file input of the form as if it had been chosen
// there. Without a camera, or without this script, a file is chosen instead.
const WANTED = { video: { width: { ideal: 2560 }, height: { ideal: 1440 }, facingMode: "environment" } };

export function camera() {
  for (const box of document.querySelectorAll("[data-camera]")) {
    if (!navigator.mediaDevices?.getUserMedia) return;
    box.hidden = false;
    const [open, take] = [box.querySelector("[data-open]"), box.querySelector("[data-take]")];
    const view = box.querySelector("[data-view]");
    const video = box.querySelector("video");
    const told = box.querySelector("[data-told]");
    const input = document.getElementById(box.dataset.camera);
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
        told.textContent = told.dataset.taken;
      }, "image/jpeg", 0.95);
    });
    addEventListener("pagehide", () => video.srcObject?.getTracks().forEach((one) => one.stop()));
  }
}
