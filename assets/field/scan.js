// A receipt's QR code held before the laptop's camera: one frame after the other goes to this laptop's
// own program until it reads one. Without a camera, or without this script, a photograph is chosen.
const WANTED = { video: { width: { ideal: 1280 }, height: { ideal: 720 }, facingMode: "environment" } };
const PAUSE = 300;
const FRAMES = 300;

export function scan() {
  for (const box of document.querySelectorAll("[data-scan]")) {
    if (!navigator.mediaDevices?.getUserMedia) return;
    box.hidden = false;
    const video = box.querySelector("video");
    const told = box.querySelector("[data-told]");
    const stop = () => {
      video.srcObject?.getTracks().forEach((one) => one.stop());
      video.srcObject = null;
      video.hidden = true;
    };
    box.querySelector("[data-open]").addEventListener("click", async () => {
      stop();
      try {
        video.srcObject = await navigator.mediaDevices.getUserMedia(WANTED);
        await video.play();
      } catch {
        told.textContent = told.dataset.none;
        return;
      }
      video.hidden = false;
      told.textContent = told.dataset.hold;
      for (let left = FRAMES; left && video.srcObject; left -= 1) {
        const [where, words] = await ask(box.closest("form"), video);
        if (where) {
          stop();
          location.assign(where);
          return;
        }
        if (words) told.textContent = words;
        await new Promise((done) => setTimeout(done, PAUSE));
      }
      if (video.srcObject) told.textContent = told.dataset.over;
      stop();
    });
    addEventListener("pagehide", stop);
  }
}

// What one frame leads to: an address, or words.
async function ask(form, video) {
  const canvas = document.createElement("canvas");
  canvas.width = video.videoWidth;
  canvas.height = video.videoHeight;
  canvas.getContext("2d").drawImage(video, 0, 0);
  const frame = await new Promise((done) => canvas.toBlob(done, "image/jpeg", 0.85));
  const body = new FormData(form);
  body.set("code", frame, "frame.jpg");
  try {
    const answer = await fetch(form.action, { method: "POST", body, headers: { "HX-Request": "true" } });
    const text = await answer.text();
    return answer.ok && text.startsWith("/") ? [text, ""] : ["", answer.ok ? "" : text];
  } catch {
    return ["", ""];
  }
}
