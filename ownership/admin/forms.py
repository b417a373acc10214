"""Forms and widgets that pages of the admin share."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib.admin.widgets import AutocompleteSelect
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import normalize_newlines

from ownership.history.models import whole_number
from ownership.web.forms import ReasonField


class ReasonForm(forms.Form):
    """The reason alone, for pages that ask for nothing else."""

    reason = ReasonField()


class LinesField(forms.CharField):
    """A text of several lines. Which characters end a line, and blanks around the text, are no change."""

    def to_python(self, value: object) -> str:
        """The text with LF at the end of each line. Browsers send CR LF."""
        return normalize_newlines(super().to_python(value) or "")

    def has_changed(self, initial: object, data: object) -> bool:
        """Whether somebody edited the text."""
        return super().has_changed(self.to_python(initial), data)


class UnchangedTexts(forms.ModelForm):
    """Leaves a text that nobody edited as it is stored, whatever its line ends."""

    def clean(self) -> dict[str, object] | None:
        """The values to store."""
        cleaned_data = super().clean()
        for name, field in self.fields.items():
            if isinstance(field, LinesField) and name not in self.changed_data:
                self.cleaned_data[name] = getattr(self.instance, name)
        return cleaned_data


def _typed(name: str) -> str:
    """Name of the field in which the name of a row is typed, beside the one in which it is chosen."""
    return f"{name}-typed"


class Autocomplete(AutocompleteSelect):
    """Django's search field for a row. It draws any posted value, and takes a typed name where no script runs."""

    # What an empty field shows.
    placeholder = ""

    def build_attrs(self, base_attrs: Any, extra_attrs: Any = None) -> dict[str, Any]:
        """Django's, with the placeholder. Even an empty one lets people clear the field."""
        attrs: dict[str, Any] = super().build_attrs(base_attrs, extra_attrs)
        return attrs | {"data-placeholder": self.placeholder}

    def value_from_datadict(self, data: Any, files: Any, name: str) -> str:
        """The id of the chosen row, or of the row whose name was typed; a name that no row has stays as it is."""
        value = str(data.get(_typed(name)) or data.get(name) or "")
        if not value or whole_number(value) is not None or "\x00" in value:
            return value
        rows = self.field.remote_field.model._default_manager
        pk = rows.filter(name=value).values_list("pk", flat=True).first()
        return value if pk is None else str(pk)

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        """The search field; and, for browsers that run no script, a field to type a name."""
        typed = ""
        if value and whole_number(str(value)) is None:
            typed = value
        return format_html(
            '{}<noscript><input type="text" name="{}" value="{}" aria-label="{}" placeholder="or type a name">'
            "</noscript>",
            super().render(name, value, attrs, renderer),
            _typed(name),
            typed,
            f"Name of the {self.field.verbose_name}",
        )

    def optgroups(
        self,
        name: str,
        value: Sequence[str],
        attrs: dict[str, object] | None = None,
    ) -> list[Any]:
        """The chosen option."""
        ids = [pk for pk in value if whole_number(pk) is not None]
        return super().optgroups(name, ids, attrs)
