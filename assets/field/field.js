// What a laptop's pages do beyond plain forms. Everything here only spares a click or a reload:
// each page works without it.
import "htmx.org";
import { page } from "../common/page.js";
import { camera } from "./camera.js";
import { curtain } from "./curtain.js";
import { pad } from "../common/pad.js";
import { pick } from "../common/pick.js";
import { keys } from "./keys.js";
import { scan } from "./scan.js";

page();
camera();
scan();
pad();
pick();
keys();
curtain();

for (const one of document.querySelectorAll("[data-print]")) {
  one.hidden = false;
  one.addEventListener("click", () => print());
}
