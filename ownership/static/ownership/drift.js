// A checkbox beside a heading ticks all findings below it.
for (const heading of document.querySelectorAll("[data-ticks]")) {
  const boxes = heading.closest(heading.dataset.ticks).querySelectorAll("input[name=finding]");
  if (boxes.length < 2) continue;
  const all = Object.assign(document.createElement("input"), { type: "checkbox" });
  all.setAttribute("aria-label", `All: ${heading.textContent.trim()}`);
  all.addEventListener("change", () => boxes.forEach((box) => { box.checked = all.checked; }));
  heading.prepend(all, " ");
}
