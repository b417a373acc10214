"""Rows of another model in a form: a table's accesses and indexes, a team's members."""

from collections.abc import Sequence

from django import forms

from ownership.admin.forms import UnchangedTexts


class InlineRowForm(UnchangedTexts):
    """A row of an inline. One that nobody edited is not validated: it holds what is stored."""

    def full_clean(self) -> None:
        """Validate the row if it is new or was edited."""
        unedited = self.is_bound and self.instance.pk is not None and not self.has_changed()
        if unedited:
            self.empty_permitted = True
        super().full_clean()
        if unedited:
            # The formset compares all rows to find the same service twice.
            self.cleaned_data = {name: getattr(self.instance, name, None) for name in self.fields}


class InlineRowFormSet(forms.BaseInlineFormSet):
    """The rows of an inline."""

    def get_unique_error_message(self, unique_check: Sequence[str]) -> str:
        """What two of the rows may not have in common, such as the service of an access."""
        names = [name for name in unique_check if name != self.fk.name]
        labels = [str(self.form.base_fields[name].label).lower() for name in names]
        return f"Two rows have the same {' and '.join(labels)}."

    def get_form_error(self) -> str:
        """What is said at the second of two such rows."""
        return "Another row has the same."

    def total_form_count(self) -> int:
        """How many rows the form has.

        A row sends at least one field. A posted form that claims more rows than fields is wrong, and Django would
        make up to two thousand empty ones, which takes it a minute.
        """
        count = super().total_form_count()
        if self.is_bound:
            count = min(count, len(self.data))
        return count

    def initial_form_count(self) -> int:
        """How many rows existed: those with an id. If the form said fewer, Django would add the others again."""
        if not self.is_bound:
            return super().initial_form_count()
        count = 0
        for number in range(self.total_form_count()):
            if self.data.get(f"{self.add_prefix(number)}-id"):
                count += 1
        return count
