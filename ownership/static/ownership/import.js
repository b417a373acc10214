// Choosing a file shows its preview at once; without this script, the button does.
"use strict";

const upload = document.getElementById("upload");
upload.addEventListener("change", (event) => {
  if (event.target.type === "file" && event.target.files.length) upload.requestSubmit();
});
document.querySelector(".save-bar input[name=reason]")?.focus();
