// Suggests names while one types into a search field: a combobox with a list, as the ARIA practices describe it.
const WAIT = 150; // milliseconds after the last key
let lists = 0;

const option = (suggestion, id) => {
  const item = document.createElement("li");
  item.id = id;
  item.setAttribute("role", "option");
  item.setAttribute("aria-selected", "false");
  item.dataset.url = suggestion.url;
  const name = document.createElement("span");
  name.className = "name";
  name.textContent = suggestion.name;
  const about = document.createElement("span");
  about.className = "quiet";
  about.textContent = [suggestion.kind, suggestion.remark].filter(Boolean).join(" · ");
  item.append(name, " ", about);
  return item;
};

const addSuggestions = (form) => {
  const field = form.elements.q;
  const list = document.createElement("ul");
  list.id = `suggestions-${++lists}`;
  list.className = "suggestions";
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", "Suggestions");
  list.hidden = true;
  form.append(list);
  // A search field may not be a combobox; a text field may, and looks the same.
  field.type = "text";
  field.setAttribute("role", "combobox");
  field.setAttribute("aria-autocomplete", "list");
  field.setAttribute("aria-expanded", "false");
  field.setAttribute("aria-controls", list.id);

  let active = -1;
  let timer = null;
  let pending = null;

  const mark = (number) => {
    active = number;
    for (const [place, item] of [...list.children].entries()) {
      item.setAttribute("aria-selected", String(place === active));
    }
    const chosen = list.children[active];
    if (chosen) {
      field.setAttribute("aria-activedescendant", chosen.id);
      chosen.scrollIntoView({ block: "nearest" });
    } else {
      field.removeAttribute("aria-activedescendant");
    }
  };
  const close = () => {
    clearTimeout(timer);
    pending?.abort();
    list.hidden = true;
    field.setAttribute("aria-expanded", "false");
    mark(-1);
  };
  const open = (suggestions) => {
    list.replaceChildren(...suggestions.map((suggestion, place) => option(suggestion, `${list.id}-${place}`)));
    mark(-1);
    list.hidden = suggestions.length === 0;
    field.setAttribute("aria-expanded", String(!list.hidden));
  };
  const suggest = async () => {
    pending?.abort();
    pending = new AbortController();
    const asked = new URLSearchParams(new FormData(form));
    try {
      const response = await fetch(`${form.dataset.suggestions}?${asked}`, { signal: pending.signal });
      // Somebody whose session has ended gets the sign-in page, and no suggestions.
      if (!response.ok || response.redirected) return close();
      open((await response.json()).suggestions);
    } catch (error) {
      if (error.name !== "AbortError") close();
    }
  };

  field.addEventListener("input", () => {
    clearTimeout(timer);
    const typed = field.value.trim();
    if (typed === "" || /\s/.test(typed)) return close();
    timer = setTimeout(suggest, WAIT);
  });
  field.addEventListener("keydown", (event) => {
    const count = list.children.length;
    if (event.key === "Escape" && !list.hidden) {
      event.preventDefault();
      close();
    } else if (list.hidden) {
      if (event.key === "ArrowDown" && field.value.trim()) suggest();
    } else if (event.key === "ArrowDown") {
      event.preventDefault();
      mark((active + 2) % (count + 1) - 1); // from the last one to the field, and on to the first
    } else if (event.key === "ArrowUp") {
      event.preventDefault();
      mark((active + count + 1) % (count + 1) - 1);
    } else if (event.key === "Enter" && active >= 0) {
      event.preventDefault();
      location.assign(list.children[active].dataset.url);
    }
  });
  field.addEventListener("blur", close);
  // Pressing on a suggestion must not take the focus from the field, which would close the list first.
  list.addEventListener("mousedown", (event) => event.preventDefault());
  list.addEventListener("click", (event) => {
    const item = event.target.closest("[role=option]");
    if (item) location.assign(item.dataset.url);
  });
};
for (const form of document.querySelectorAll("form.search")) addSuggestions(form);

// "/" goes to the search field, unless somebody types into another one or has turned it off.
const SETTING = "search-key";
const isOn = () => localStorage.getItem(SETTING) !== "off";
document.addEventListener("keydown", (event) => {
  const isTyping = event.target.closest?.("input, select, textarea, [contenteditable]");
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || isTyping || !isOn()) return;
  const field = document.querySelector("form.search [name=q]");
  if (!field) return;
  event.preventDefault();
  field.focus();
  field.select();
});
for (const hint of document.querySelectorAll("[data-slash]")) {
  const button = hint.querySelector("button");
  const show = () => {
    hint.firstChild.textContent = isOn() ? "Press " : "The key ";
    hint.querySelector("kbd").nextSibling.textContent = isOn() ? " to search. " : " does nothing. ";
    button.textContent = isOn() ? "Turn off" : "Turn on";
  };
  button.addEventListener("click", () => {
    localStorage.setItem(SETTING, isOn() ? "off" : "on");
    show();
  });
  hint.hidden = false;
  show();
}
