import { render } from "preact";
const mount = document.getElementById("reading-room");
if (mount) render("", mount);
