// A signature drawn on the screen, put into the file input of the form as if it had been photographed.
// Without this script the signature on paper is photographed instead.
export function pad() {
  for (const box of document.querySelectorAll("[data-pad]")) {
    const canvas = box.querySelector("canvas");
    const ink = canvas.getContext("2d");
    const told = box.querySelector("[data-told]");
    const input = document.getElementById(box.dataset.pad);
    let drawn = 0;
    const clear = () => {
      ink.fillStyle = "#fff";
      ink.fillRect(0, 0, canvas.width, canvas.height);
      ink.strokeStyle = "#0b0c0c";
      ink.lineWidth = 5;
      ink.lineCap = ink.lineJoin = "round";
      drawn = 0;
      told.textContent = "";
    };
    const at = (event) => {
      const place = canvas.getBoundingClientRect();
      const scale = canvas.width / place.width;
      return [(event.clientX - place.left) * scale, (event.clientY - place.top) * scale];
    };
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      ink.beginPath();
      ink.moveTo(...at(event));
    });
    canvas.addEventListener("pointermove", (event) => {
      if (!event.buttons) return;
      ink.lineTo(...at(event));
      ink.stroke();
      drawn += 1;
    });
    box.querySelector("[data-clear]").addEventListener("click", clear);
    box.querySelector("[data-take]").addEventListener("click", () => {
      if (drawn < 5) {
        told.textContent = told.dataset.none;
        return;
      }
      canvas.toBlob((blob) => {
        const chosen = new DataTransfer();
        chosen.items.add(new File([blob], "tanda-tangan.png", { type: "image/png" }));
        input.files = chosen.files;
        input.dispatchEvent(new Event("change"));
        told.textContent = told.dataset.taken;
      }, "image/png");
    });
    clear();
    box.hidden = false;
  }
}
