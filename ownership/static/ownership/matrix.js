// Highlights the column of the cell that has the pointer or the focus; the style sheet does the same for its row.
let highlighted = null;
const highlightColumn = (event) => {
  highlighted?.classList.remove("here");
  const cell = event.target.closest("table.matrix td, table.matrix thead th");
  const isServiceColumn = cell?.cellIndex > 0;
  highlighted = isServiceColumn ? cell.closest("table").querySelectorAll("col")[cell.cellIndex] : null;
  highlighted?.classList.add("here");
};
document.addEventListener("mouseover", highlightColumn);
document.addEventListener("focusin", highlightColumn);

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
    document.title = page.title;
    history.replaceState(null, "", address);
  } catch (error) {
    // Load the page instead, which shows the error.
    if (error.name !== "AbortError") location.assign(address);
  }
});
filter.querySelector("button").hidden = true;
