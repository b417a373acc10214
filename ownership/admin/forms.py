"""Forms and widgets that pages of the admin share."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib.admin.widgets import AutocompleteSelect

from ownership.history.models import whole_number
from ownership.web.forms import ReasonField


class ReasonForm(forms.Form):
    """The reason alone, for pages that ask for nothing else."""

    reason = ReasonField()


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
