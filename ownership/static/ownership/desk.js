// A registry row's form: it says what is about to change, asks for the reason, warns before leaving, and lets
// accesses, indexes and members be added, moved and removed. Pages that preview a change refresh their preview. All of it works without
// this script, too, with more clicks.
"use strict";

// In words: what a control holds.
function textOf(control) {
  if (control.type === "checkbox") return control.checked ? "yes" : "no";
  if (control.type === "radio") return control.closest("label").textContent.trim();
  if (control.tagName === "SELECT") return control.selectedOptions[0]?.textContent.trim() ?? "";
  return control.value.trim();
}

function isShown(control) {
  const skipped = ["hidden", "submit", "button", "file"];
  return control.name && !skipped.includes(control.type) && control.name !== "reason";
}

// {name: text} of all that a person can set; of radio buttons the chosen one.
function valuesOf(form) {
  const values = new Map();
  for (const control of form.elements) {
    if (!isShown(control)) continue;
    if (control.type === "radio") {
      if (!values.has(control.name)) values.set(control.name, "");
      if (control.checked) values.set(control.name, textOf(control));
    } else {
      values.set(control.name, textOf(control));
    }
  }
  return values;
}

const LONG = 40;

function fromTo(before, after) {
  return `${before || "empty"} → ${after || "empty"}`;
}

function labelOf(form, name) {
  const control = form.querySelector(`[name="${CSS.escape(name)}"]`);
  const label = control?.labels?.[0]?.textContent ?? name.replaceAll("_", " ");
  return label.trim().replace(/:$/, "").toLowerCase();
}

// "owner: users → bots", or no more than "description changed" where the texts are long.
function fieldInWords(label, before, after) {
  if (before.length + after.length > 2 * LONG) return `${label} changed`;
  return `${label}: ${fromTo(before, after)}`;
}

// What a row is called: one of its fields, or what it is.
const NAMES = { accesses: ["service", "access"], indexes: ["name", "index"], memberships: ["user", "member"] };

// The changes of one row of accesses, indexes or members.
function rowInWords(prefix, row, before, after) {
  const isAccess = prefix === "accesses";
  const [nameField, noun] = NAMES[prefix];
  const name = after.get(nameField) || `new ${noun}`;
  const existed = before.size > 0 && row.existed;
  if (after.get("DELETE") === "yes") return existed ? [`${name} removed`] : [];
  // The access that a new table is offered waits for its owner, an empty line of a team for a member.
  const isEmpty = !after.get(nameField) && !after.get("notes");
  if (!existed && prefix !== "indexes" && isEmpty) return [];
  if (!existed) return [isAccess ? `${name} added (${after.get("mode") || "no mode yet"})` : `${name} added`];
  const words = [];
  for (const [field, value] of after) {
    const old = before.get(field) ?? "";
    if (old === value) continue;
    if (field === "mode") words.push(`${name}: ${fromTo(old, value)}`);
    else words.push(`${name}: ${fieldInWords(field.replaceAll("_", " "), old, value)}`);
  }
  return words;
}

const ROW = /^(accesses|indexes|memberships)-(\d+)-(.+)$/;

function changesInWords(form, before, after) {
  const words = [];
  const rows = new Map();
  for (const [name, value] of after) {
    const inRow = ROW.exec(name);
    if (inRow) {
      const key = `${inRow[1]}-${inRow[2]}`;
      if (!rows.has(key)) rows.set(key, { prefix: inRow[1], before: new Map(), after: new Map() });
      rows.get(key).after.set(inRow[3], value);
      if (before.has(name)) rows.get(key).before.set(inRow[3], before.get(name));
    } else if (!name.includes("__prefix__") && before.get(name) !== value) {
      words.push(fieldInWords(labelOf(form, name), before.get(name) ?? "", value));
    }
  }
  for (const [key, row] of rows) {
    row.existed = Boolean(form.querySelector(`[name="${key}-id"]`)?.value);
    words.push(...rowInWords(row.prefix, row, row.before, row.after));
  }
  return words;
}

// A table's accesses or indexes, or a team's members: rows that are added, named, removed and put in another order.
class InlineRows {
  constructor(group, form) {
    this.form = form;
    this.prefix = group.dataset.prefix;
    this.rowName = group.dataset.row;
    this.rowsName = group.dataset.rows;
    this.list = group.querySelector("ol");
    this.template = group.querySelector("template");
    this.moved = false;
    this.rows().forEach((row) => this.prepare(row));
    const button = group.querySelector("[data-add]");
    if (button) {
      button.parentElement.hidden = false;
      button.addEventListener("click", () => this.add());
    }
    this.followOwner();
  }

  rows() {
    return [...this.list.querySelectorAll(".inline-row")];
  }

  prepare(row) {
    const name = this.nameField(row);
    if (name) django.jQuery(name).on("input change", () => this.rename(row));
    const order = row.querySelector(".order");
    if (order) this.prepareOrder(row, order);
  }

  prepareOrder(row, order) {
    order.hidden = false;
    for (const button of order.querySelectorAll("[data-move]")) {
      button.addEventListener("click", () => this.move(row, Number(button.dataset.move), button));
    }
    order.addEventListener("keydown", (event) => {
      const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
      if (!step) return;
      event.preventDefault();
      this.move(row, step, event.target);
    });
    // Draggable by its handle alone: in a draggable row no text can be selected.
    order.addEventListener("pointerdown", () => { row.draggable = true; });
    row.addEventListener("dragstart", () => row.classList.add("dragged"));
    row.addEventListener("dragend", () => {
      row.draggable = false;
      row.classList.remove("dragged");
    });
    row.addEventListener("dragover", (event) => {
      const dragged = this.list.querySelector(".dragged");
      if (!dragged || dragged === row) return;
      event.preventDefault();
      const below = event.clientY > row.getBoundingClientRect().top + row.offsetHeight / 2;
      row.parentElement.insertBefore(dragged, below ? row.nextSibling : row);
      this.renumber();
    });
  }

  // An access is called as its service, an index by its own name, a member by the account's. Rows that may only be
  // read have no such field.
  nameField(row) {
    return row.querySelector("[name$=-service], [name$=-name], [name$=-user]");
  }

  move(row, step, button) {
    const rows = this.rows();
    const other = rows[rows.indexOf(row) + step];
    if (!other) return;
    if (step < 0) other.before(row);
    else other.after(row);
    this.renumber();
    button.focus();
  }

  // Positions that are there, in the new order: rows that stay where they were keep theirs.
  renumber() {
    const positions = this.rows().map((row) => row.querySelector("[name$=-position]"));
    let numbers = positions.map((input) => Number(input.value)).sort((a, b) => a - b);
    if (new Set(numbers).size < numbers.length) numbers = numbers.map((_, index) => index);
    positions.forEach((input, index) => { input.value = numbers[index]; });
    this.moved = true;
    this.form.dispatchEvent(new Event("input"));
  }

  rename(row) {
    const name = textOf(this.nameField(row)) || `new ${this.rowName}`;
    for (const place of row.querySelectorAll("[data-name]")) place.textContent = name;
    for (const button of row.querySelectorAll("[data-move]")) {
      button.ariaLabel = `Move ${name} ${button.dataset.move === "1" ? "down" : "up"}`;
    }
  }

  add() {
    const total = this.form.querySelector(`[name="${this.prefix}-TOTAL_FORMS"]`);
    const html = this.template.innerHTML.replaceAll("__prefix__", total.value);
    const positions = [...this.list.querySelectorAll(".inline-row [name$=-position]")];
    const last = positions.map((input) => Number(input.value));
    this.template.insertAdjacentHTML("beforebegin", html);
    const row = this.template.previousElementSibling;
    total.value = Number(total.value) + 1;
    const position = row.querySelector("[name$=-position]");
    if (position) position.value = Math.max(-1, ...last) + 1;
    const mode = row.querySelector("input[type=radio]");
    if (mode) mode.checked = true;
    this.prepare(row);
    // The admin's script makes the service's field a search field.
    row.dispatchEvent(new CustomEvent("formset:added", { bubbles: true, detail: { formsetName: this.prefix } }));
    nameSearchFields(row);
    this.form.dispatchEvent(new Event("input"));
    const field = this.nameField(row);
    if (field.tagName === "SELECT") django.jQuery(field).select2("open");
    else field.focus();
  }

  // The first access of a new table is its owner's until somebody chooses another service for it.
  followOwner() {
    const row = this.list.querySelector("[data-follows-owner]");
    const owner = this.form.elements.owner;
    if (!row || !owner) return;
    const service = row.querySelector("select");
    let followed = "";
    const follow = () => {
      if (service.value !== followed) return;
      followed = owner.value;
      service.replaceChildren(new Option(textOf(owner), owner.value, true, true));
      django.jQuery(service).trigger("change");
    };
    django.jQuery(owner).on("change", follow);
    if (owner.value && !service.value) follow();
  }
}

// A search field says its content alone to screen readers; it is to say its label, too.
function nameSearchFields(root) {
  for (const select of root.querySelectorAll("select.admin-autocomplete")) {
    const field = select.nextElementSibling?.querySelector("[role=combobox]");
    const label = select.labels?.[0];
    if (!field || !label || field.dataset.named) continue;
    label.id ||= `${select.id}-label`;
    field.setAttribute("aria-labelledby", `${label.id} ${field.getAttribute("aria-labelledby") ?? ""}`);
    field.querySelector("[role=textbox]")?.setAttribute("aria-labelledby", label.id);
    field.dataset.named = "yes";
    django.jQuery(select).on("select2:open", () => nameOpenList(field, label.textContent.trim()));
  }
}

// The list that opens lies at the end of the document: say what it belongs to.
function nameOpenList(field, label) {
  field.setAttribute("aria-controls", field.getAttribute("aria-owns") ?? "");
  const list = document.querySelector("body > .select2-container--open");
  list?.setAttribute("role", "region");
  list?.setAttribute("aria-label", label);
  list?.querySelector(".select2-search__field")?.setAttribute("aria-label", label);
}

// Says that the reason is missing, at its field.
function reasonIsThere(form) {
  const reason = form.elements.reason;
  if (!reason || reason.value.trim()) return true;
  let error = form.querySelector(".reason .errorlist");
  if (!error) {
    error = document.createElement("ul");
    error.className = "errorlist";
    error.id = "reason-error";
    reason.setAttribute("aria-describedby", error.id);
    form.querySelector(".reason").prepend(error);
  }
  error.innerHTML = "<li>Please give a reason.</li>";
  reason.setAttribute("aria-invalid", "true");
  reason.focus();
  return false;
}

// A form sent after its session ended would be lost to the sign-in page: ask first, and keep the form where it ended.
class SessionCheck {
  constructor(form) {
    this.form = form;
    // The forms of the admin load this script. Who is not signed in is sent elsewhere.
    this.address = document.querySelector("script[src*=jsi18n]")?.src;
    this.isThere = !this.address;
    this.isAsking = false;
    this.notice = null;
  }

  async submitIfThere(button) {
    if (this.isAsking) return;
    this.isAsking = true;
    try {
      const response = await fetch(this.address, { method: "HEAD", redirect: "manual", cache: "no-store" });
      this.isThere = response.type !== "opaqueredirect";
      if (this.isThere && this.notice) await this.renewToken();
    } catch {
      // No answer says nothing about the session: the browser shows what is wrong.
      this.isThere = true;
    }
    this.isAsking = false;
    if (this.isThere) this.form.requestSubmit(button);
    else this.say();
    this.isThere = false;
  }

  // Signing in makes the token of forms that are open invalid.
  async renewToken() {
    const response = await fetch(location.href, { cache: "no-store" });
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    const token = page.querySelector("[name=csrfmiddlewaretoken]");
    if (token) this.form.elements.csrfmiddlewaretoken.value = token.value;
  }

  say() {
    this.notice?.remove();
    this.notice = document.createElement("p");
    this.notice.className = "errornote";
    this.notice.setAttribute("role", "alert");
    const link = document.createElement("a");
    link.href = location.href;
    link.target = "_blank";
    link.textContent = "Sign in in a new tab";
    this.notice.append("Not saved: your session has ended. ", link, ", then save again here.");
    this.form.querySelector(".save-bar").prepend(this.notice);
    link.focus();
  }
}

function guardForm(form) {
  const pending = form.querySelector("[data-pending]");
  const groups = [...form.querySelectorAll(".inline-rows")].map((group) => new InlineRows(group, form));
  const before = valuesOf(form);
  const unsaved = pending?.textContent.trim() ?? "";
  let leaving = false;
  let words = [];

  function show() {
    words = changesInWords(form, before, valuesOf(form));
    for (const rows of groups) if (rows.moved) words.push(`order of ${rows.rowsName}`);
    if (pending) pending.textContent = words.join(" · ") || unsaved || "No changes yet.";
    pending?.classList.toggle("changed", words.length > 0);
  }

  // The search fields tell their changes through jQuery alone.
  django.jQuery(form).on("change", show);
  // With many rows each look at the form is slow, and typing a reason changes nothing in it.
  form.addEventListener("input", (event) => {
    if (event.target !== form.elements.reason) show();
  });
  const session = new SessionCheck(form);
  form.addEventListener("submit", (event) => {
    if (!reasonIsThere(form)) {
      event.preventDefault();
    } else if (session.isThere) {
      leaving = true;
    } else {
      event.preventDefault();
      session.submitIfThere(event.submitter);
    }
  });
  form.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      form.requestSubmit(form.querySelector("input[name=_save], .save-bar [type=submit]"));
    }
  });
  window.addEventListener("beforeunload", (event) => {
    if (!leaving && (words.length || unsaved)) event.preventDefault();
  });
  window.addEventListener("pageshow", () => { leaving = false; });
  show();
}

// A page that previews a change: choosing something else refreshes the preview, and the reason stays.
function refreshPreview(form) {
  const button = form.querySelector("[data-preview]");
  const refresh = (event) => {
    const control = event.target;
    if (control.name === "reason" || control.name === "notes" || !control.name) return;
    form.requestSubmit(button);
  };
  django.jQuery(form).on("change", refresh);
  form.querySelector("textarea[name=notes]")?.addEventListener("change", () => form.requestSubmit(button));
  const opened = form.querySelector("select[data-open]");
  const isShown = form.querySelector(".plan");
  if (isShown) form.elements.reason.focus();
  else if (opened && !opened.value) django.jQuery(opened).select2("open");
  form.addEventListener("submit", (event) => {
    if (event.submitter !== button && !reasonIsThere(form)) event.preventDefault();
  });
}

// On a phone each row of a list is a card, where its heads are out of sight: cells say them.
function labelCells() {
  const heads = [...document.querySelectorAll("#result_list thead th")].map((head) => head.textContent.trim());
  for (const row of document.querySelectorAll("#result_list tbody tr")) {
    const cells = [...row.children];
    const name = cells.find((cell) => !cell.matches(".action-checkbox"));
    cells.forEach((cell, index) => {
      const isNamed = heads[index] && cell !== name && (cell.textContent.trim() || cell.querySelector("img"));
      if (isNamed) cell.dataset.label = heads[index];
    });
  }
}

function start() {
  nameSearchFields(document);
  labelCells();
  document.querySelector("[autofocus]")?.focus();
  const bar = document.querySelector(".save-bar");
  const form = bar?.closest("form");
  if (!form) return;
  if (form.matches("[data-previews]")) refreshPreview(form);
  else guardForm(form);
}

// After the admin's own scripts have made the search fields, which they do in jQuery's own time.
window.addEventListener("load", () => django.jQuery(() => setTimeout(start)));
