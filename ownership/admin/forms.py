"""Forms of the admin: a reason with every change, rows among rows, and fields that lead nowhere else."""

from collections.abc import Iterator
from typing import Any

from django import forms
from django.contrib.admin.widgets import AutocompleteSelect, RelatedFieldWidgetWrapper
from django.forms.utils import ErrorDict
from django.http import QueryDict

from ownership.admin.conflict import Conflict
from ownership.history.parsing import whole_number
from ownership.models import Access, Service, TableGroup
from ownership.web.forms import ReasonField


class ReasonForm(forms.Form):
    """A reason alone, for pages that ask for nothing else."""

    reason = ReasonField()


class RegistryForm(forms.ModelForm):
    """A registry row's form; with the reason, which the page shows above its save buttons."""

    reason = ReasonField()
    # Set by the admin on the class it makes for one request.
    conflict: Conflict | None = None

    def clean(self) -> dict[str, Any] | None:
        """Refuse a form that others' changes overtook, and say at each field that both changed what it holds now."""
        if self.conflict is not None:
            for name, now in self.conflict.both.items():
                self.add_error(name, f"Both of you changed this. It holds now: {now}. Saving replaces that by yours.")
            raise forms.ValidationError(self.conflict.sentence)
        return super().clean()


class RowForm(forms.ModelForm):
    """A row's form among a table's. One that nobody touched holds what is stored: it is not checked anew."""

    def full_clean(self) -> None:
        """Django's, where something was changed."""
        if self.is_bound and self.instance.pk and not self.has_changed():
            self._errors = ErrorDict(renderer=self.renderer)
            self.cleaned_data = {name: getattr(self.instance, name, None) for name in self.fields}
        else:
            super().full_clean()


class RowFormSet(forms.BaseInlineFormSet):
    """The rows on a table's page."""

    def initial_form_count(self) -> int:
        """How many were there: those with an id. By a posted number that is less, rows would be added once more."""
        if not self.is_bound:
            return super().initial_form_count()
        return sum(bool(self.data.get(f"{self.add_prefix(row)}-id")) for row in range(self.total_form_count()))


class Autocomplete(AutocompleteSelect):
    """Django's, which fails while it draws a chosen value that is no id."""

    def optgroups(self, name: str, value: Any, attrs: dict[str, Any] | None = None) -> Any:
        """The chosen one alone, where it can be one."""
        possible = [one for one in value if whole_number(one) is not None]
        return super().optgroups(name, possible, attrs)


def steady_autocomplete(model_admin: Any, db_field: Any, kwargs: dict[str, Any]) -> dict[str, Any]:
    """The arguments for a foreign key's form field, with our widget where Django would take its own."""
    if db_field.name in model_admin.autocomplete_fields:
        kwargs.setdefault("widget", Autocomplete(db_field, model_admin.admin_site))
    return kwargs


def without_side_doors(field: Any) -> Any:
    """The form field, less the buttons that would change another entry on the way, for another reason."""
    if field and isinstance(field.widget, RelatedFieldWidgetWrapper):
        field.widget.can_change_related = field.widget.can_delete_related = field.widget.can_view_related = False
    return field


def _as_typed(model: Any, post: QueryDict) -> Iterator[tuple[str, str]]:
    """What a form held, in people's words: no tokens, no ids."""
    hidden = ("csrfmiddlewaretoken", "revision", "post", "_save", "_continue", "_addanother")
    choices = {field.name: dict(field.flatchoices) for part in (model, Access) for field in part._meta.fields}
    named: dict[str, Any] = {"owner": Service, "service": Service, "part_of": Service, "group": TableGroup}
    for name, value in post.items():
        *place, last = name.split("-")
        skipped = name in hidden or last in ("id", "table", "position") or "_FORMS" in last or "__prefix__" in place
        if skipped or not isinstance(value, str) or not value:
            continue
        if last in named and (pk := whole_number(value)) is not None:
            row = named[last].objects.filter(pk=pk).first()
            value = row.name if row else value
        # accesses-0-mode → accesses 1, mode
        number = whole_number(place[1]) if len(place) == 2 else None
        where = "" if number is None else f"{place[0]} {number + 1}, "
        yield where + last.replace("_", " "), str(choices.get(last, {}).get(value, value))
