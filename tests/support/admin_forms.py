"""Reads a page's form as a browser would, so that tests post what a person would post."""

from html.parser import HTMLParser
from typing import Any

from django.test import Client
from django.urls import reverse


class _Form(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.values: dict[str, str] = {}
        self._select: str | None = None
        self._textarea: str | None = None
        self._is_skipped = False

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        # A browser that runs scripts has no fields from there.
        if tag == "noscript":
            self._is_skipped = True
        if self._is_skipped:
            return
        given = dict(attributes)
        name = given.get("name") or ""
        if tag == "input" and given.get("type") not in ("submit", "button", "file"):
            if given.get("type") not in ("checkbox", "radio"):
                self.values[name] = given.get("value") or ""
            elif "checked" in given:
                self.values[name] = given.get("value", "on") or ""
        elif tag == "select":
            self._select = name
            self.values.setdefault(name, "")
        elif tag == "option" and self._select and "selected" in given:
            self.values[self._select] = given.get("value") or ""
        elif tag == "textarea":
            self._textarea = name
            self.values[name] = ""

    def handle_endtag(self, tag: str) -> None:
        if tag == "noscript":
            self._is_skipped = False
        elif tag == "select":
            self._select = None
        elif tag == "textarea":
            self._textarea = None

    def handle_data(self, data: str) -> None:
        if self._textarea is not None:
            # A browser drops the line break right after the tag.
            before = self.values[self._textarea]
            self.values[self._textarea] = before + (
                data if before else data.removeprefix("\r\n").removeprefix("\n")
            )


def form_of(response: Any) -> dict[str, str]:
    """Names and values that a browser would post from the page's forms; empty inline rows left out."""
    parser = _Form()
    parser.feed(response.content.decode())
    parser.close()
    return {
        name: value
        for name, value in parser.values.items()
        if name and "__prefix__" not in name and name not in ("q", "csrfmiddlewaretoken")
    }


def answer(response: Any, **fields: Any) -> dict[str, Any]:
    """The form of an action's page, filled in; without the selected rows, of which a dict would hold one."""
    return {
        name: value for name, value in form_of(response).items() if name != "_selected_action"
    } | fields


def change_url(row: Any) -> str:
    """The row's page in the admin."""
    return reverse(f"admin:ownership_{row._meta.model_name}_change", args=[row.pk])


def open_form(client: Client, row: Any) -> dict[str, str]:
    """What the row's form holds when opened now."""
    return form_of(client.get(change_url(row)))


def save_form(client: Client, row: Any, form: dict[str, str], reason: str = "Because") -> Any:
    """Post the form with a reason; 302 where it was saved, 200 where it came back."""
    return client.post(change_url(row), form | {"reason": reason})
