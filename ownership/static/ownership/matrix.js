// Marks the column of the cell that has the pointer or the focus; the style sheet does the same for its row.
let marked = [];
const markColumn = (event) => {
  for (const element of marked) element.classList.remove("here");
  const cell = event.target.closest("table.matrix :is(td, thead th)");
  marked = [];
  if (!(cell?.cellIndex > 0)) return;
  const table = cell.closest("table");
  marked = [table.querySelectorAll("col")[cell.cellIndex], table.tHead.rows[0].cells[cell.cellIndex]].filter(Boolean);
  for (const element of marked) element.classList.add("here");
  const link = cell.querySelector("a[aria-label]");
  if (link) link.title = link.ariaLabel;
};
document.addEventListener("mouseover", markColumn);
document.addEventListener("focusin", markColumn);

// The matrix is a grid, as the ARIA practices describe it: one stop for the Tab key, and arrow keys within.
// Narrow windows show a list instead, whose links are stops of their own.
const isWide = matchMedia("(min-width: 47.01rem)");
const SCREENFUL = 10; // rows
const makeGrid = () => {
  const table = document.querySelector("table.matrix:not(.overview)");
  if (!table) return;
  if (!isWide.matches) {
    table.removeAttribute("role");
    for (const link of table.querySelectorAll("a")) link.removeAttribute("tabindex");
    return;
  }
  table.setAttribute("role", "grid");
  for (const link of table.querySelectorAll("a")) link.tabIndex = -1;
  const first = table.querySelector("td a") ?? table.querySelector("a");
  if (first) first.tabIndex = 0;
};
const stopOf = (cell) => cell.querySelector("a") ?? cell;
const goTo = (table, cell) => {
  for (const element of table.querySelectorAll("[tabindex='0']")) element.tabIndex = -1;
  const stop = stopOf(cell);
  stop.tabIndex = 0;
  stop.focus();
};
document.addEventListener("keydown", (event) => {
  const cell = event.target.closest("table.matrix[role=grid] :is(td, th)");
  if (!cell || event.altKey || event.metaKey) return;
  const table = cell.closest("table");
  // Headings of groups span all columns, and have nothing to go to.
  const rows = [...table.rows].filter((row) => !row.classList.contains("group"));
  let row = rows.indexOf(cell.parentElement);
  let column = cell.cellIndex;
  const last = cell.parentElement.cells.length - 1;
  switch (event.key) {
    case "ArrowUp": row -= 1; break;
    case "ArrowDown": row += 1; break;
    case "ArrowLeft": column -= 1; break;
    case "ArrowRight": column += 1; break;
    case "PageUp": row = Math.max(1, row - SCREENFUL); break;
    case "PageDown": row = Math.min(rows.length - 1, row + SCREENFUL); break;
    case "Home": column = 0; if (event.ctrlKey) row = 1; break;
    case "End": column = last; if (event.ctrlKey) row = rows.length - 1; break;
    default: return;
  }
  event.preventDefault();
  const target = rows[row]?.cells[column];
  if (target) goTo(table, target);
});
document.addEventListener("focusin", (event) => {
  const table = event.target.closest("table.matrix[role=grid]");
  if (!table || event.target.tabIndex === 0) return;
  for (const element of table.querySelectorAll("[tabindex='0']")) element.tabIndex = -1;
  event.target.tabIndex = 0;
});
isWide.addEventListener("change", makeGrid);
makeGrid();

// Applies a filter as soon as it is chosen. The focus stays where it is, and the address follows what is shown.
const filter = document.querySelector("form.filter");
const parts = document.querySelectorAll("[data-part]");
let pending = null;
filter.addEventListener("change", async () => {
  pending?.abort();
  pending = new AbortController();
  const chosen = [...new FormData(filter)].filter(([, value]) => value);
  const address = `${filter.action}?${new URLSearchParams(chosen)}`;
  try {
    const response = await fetch(address, { signal: pending.signal });
    if (!response.ok || response.redirected) throw new Error(response.statusText);
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    for (const part of parts) {
      const updated = page.querySelector(`[data-part=${part.dataset.part}]`);
      part.replaceChildren(...updated.childNodes);
    }
    makeGrid();
    document.title = page.title;
    history.replaceState(null, "", address);
  } catch (error) {
    // Load the page instead, which shows the error.
    if (error.name !== "AbortError") location.assign(address);
  }
});
filter.querySelector("button").hidden = true;
