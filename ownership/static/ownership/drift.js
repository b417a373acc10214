// A checkbox in a heading selects all findings below it.
for (const heading of document.querySelectorAll("[data-ticks]")) {
  const boxes = heading.closest(heading.dataset.ticks).querySelectorAll("input[name=finding]");
  if (boxes.length < 2) continue;
  const selectAll = document.createElement("input");
  selectAll.type = "checkbox";
  const isWholeTable = heading.dataset.ticks === "table";
  const label = isWholeTable ? "Select all" : `Select all: ${heading.textContent.trim()}`;
  selectAll.setAttribute("aria-label", label);
  selectAll.checked = [...boxes].every((box) => box.checked);
  selectAll.addEventListener("change", () => {
    for (const box of boxes) box.checked = selectAll.checked;
  });
  heading.prepend(selectAll, " ");
}
