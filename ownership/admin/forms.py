"""Forms and widgets that pages of the admin share."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib.admin.widgets import AutocompleteSelect

from ownership.exchange.texts import with_unix_line_ends
from ownership.history.models import whole_number
from ownership.web.forms import ReasonField


class ReasonForm(forms.Form):
    """The reason alone, for pages that ask for nothing else."""

    reason = ReasonField()


class LinesField(forms.CharField):
    """A text of several lines. Which characters end a line, and blanks around the text, are no change."""

    def to_python(self, value: object) -> str:
        """The text with LF at the end of each line. Browsers send CR LF."""
        return with_unix_line_ends(super().to_python(value) or "")

    def has_changed(self, initial: object, data: object) -> bool:
        """Whether somebody edited the text."""
        return super().has_changed(self.to_python(initial), data)


class UnchangedTexts(forms.ModelForm):
    """Leaves a text that nobody edited as it is stored, whatever its line ends."""

    def clean(self) -> dict[str, object] | None:
        """The values to store."""
        cleaned_data = super().clean()
        if self.instance.pk is None:
            return cleaned_data
        for name, field in self.fields.items():
            if isinstance(field, LinesField) and name not in self.changed_data:
                self.cleaned_data[name] = getattr(self.instance, name)
        return cleaned_data


class Autocomplete(AutocompleteSelect):
    """Django's widget, which fails when it draws a chosen value that is not an id."""

    def optgroups(
        self,
        name: str,
        value: Sequence[str],
        attrs: dict[str, object] | None = None,
    ) -> list[Any]:
        """The chosen option."""
        ids = [pk for pk in value if whole_number(pk) is not None]
        return super().optgroups(name, ids, attrs)
