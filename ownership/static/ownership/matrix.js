// The column under the pointer, or with the keyboard's focus, stands out as its row does.
let last = null;
const mark = (event) => {
  const cell = event.target.closest("table.matrix td, table.matrix thead th");
  last?.classList.remove("here");
  last = cell?.cellIndex > 0 ? cell.closest("table").querySelectorAll("col")[cell.cellIndex] : null;
  last?.classList.add("here");
};
document.addEventListener("mouseover", mark);
document.addEventListener("focusin", mark);

// A choice shows at once. The focus stays where it is, and the address is that of what is shown.
const filter = document.querySelector("form.filter");
const parts = document.querySelectorAll("[data-part]");
let asking = null;
filter.addEventListener("change", async () => {
  asking?.abort();
  asking = new AbortController();
  const chosen = [...new FormData(filter)].filter(([, value]) => value);
  const address = `${filter.action}?${new URLSearchParams(chosen)}`;
  try {
    const answer = await fetch(address, { signal: asking.signal });
    if (!answer.ok || answer.redirected) throw new Error(answer.statusText);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const part of parts) {
      part.replaceChildren(...page.querySelector(`[data-part=${part.dataset.part}]`).childNodes);
    }
    document.title = page.title;
    history.replaceState(null, "", address);
  } catch (error) {
    // What went wrong is said by the page itself.
    if (error.name !== "AbortError") location.assign(address);
  }
});
filter.querySelector("button").hidden = true;
