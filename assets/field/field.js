// What a laptop's pages do beyond plain forms. Everything here only spares a click or a reload:
// each page works without it.
import "htmx.org";
import { page } from "../common/page.js";
import { camera } from "./camera.js";
import { curtain } from "./curtain.js";
import { pad } from "./pad.js";
import { pick } from "./pick.js";
import { keys } from "./keys.js";

page();
camera();
pad();
pick();
keys();
curtain();

for (const one of document.querySelectorAll("[data-print]")) {
  one.hidden = false;
  one.addEventListener("click", () => print());
}
