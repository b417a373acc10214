// The column under the pointer, or with the keyboard's focus, stands out as its row does.
for (const table of document.querySelectorAll("table.matrix")) {
  const columns = table.querySelectorAll("col");
  let last = null;
  const mark = (event) => {
    const cell = event.target.closest("td, thead th");
    last?.classList.remove("here");
    last = cell && cell.cellIndex > 0 ? columns[cell.cellIndex] : null;
    last?.classList.add("here");
  };
  table.addEventListener("mouseover", mark);
  table.addEventListener("focusin", mark);
  table.addEventListener("mouseleave", () => last?.classList.remove("here"));
}
