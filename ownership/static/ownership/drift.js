// A checkbox in a heading selects all findings below it, and the bar says how many are selected.
function countSelected(form) {
  const count = form.querySelectorAll("input[name=finding]:checked").length;
  form.querySelector("[data-selected]").textContent = `${count} selected:`;
}
for (const bar of document.querySelectorAll("[data-selected]")) {
  const form = bar.closest("form");
  form.addEventListener("change", () => countSelected(form));
  countSelected(form);
}
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
    countSelected(selectAll.form);
  });
  heading.prepend(selectAll, " ");
}
