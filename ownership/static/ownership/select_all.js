// A checkbox in a heading selects all checkboxes of its part of the page (data-ticks names that part), and the bar
// says how many are selected.
function countSelected(form) {
  const count = form.querySelectorAll("input[type=checkbox][name]:checked").length;
  form.querySelector("[data-selected]").textContent = `${count} selected`;
}
for (const bar of document.querySelectorAll("[data-selected]")) {
  const form = bar.closest("form");
  form.addEventListener("change", () => countSelected(form));
  countSelected(form);
}
for (const heading of document.querySelectorAll("[data-ticks]")) {
  const boxes = heading.closest(heading.dataset.ticks).querySelectorAll("input[type=checkbox][name]");
  if (boxes.length < 2) continue;
  const selectAll = document.createElement("input");
  selectAll.type = "checkbox";
  const isWhole = heading.dataset.ticks !== "tbody";
  const text = heading.textContent.trim().replace(/\s+/g, " ");
  const label = isWhole ? "Select all" : `Select all: ${text}`;
  selectAll.setAttribute("aria-label", label);
  selectAll.checked = [...boxes].every((box) => box.checked);
  selectAll.addEventListener("change", () => {
    for (const box of boxes) box.checked = selectAll.checked;
    countSelected(selectAll.form);
  });
  heading.prepend(selectAll, " ");
}
