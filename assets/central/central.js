// What central's pages do beyond plain forms. Everything here only spares a click or a reload: each
// page works without it.
import "htmx.org";
import { pad } from "../common/pad.js";
import { page } from "../common/page.js";
import { pick } from "../common/pick.js";
import { copying } from "./copy.js";
import { keys } from "./keys.js";
import { rows } from "./rows.js";
import { sticks } from "./stick.js";
import { verify } from "./verify.js";

page();
rows();
verify();
copying();
sticks();
pad();
pick();
keys();
