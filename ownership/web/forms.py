"""Form fields that the admin and the pages share."""

from typing import Any

from django import forms
from django.core.validators import RegexValidator

REASON_REQUIRED = "Please give a reason."
# Pages that have the list suggest the user's latest reasons.
REASON_ATTRIBUTES = {"class": "vTextField", "list": "latest-reasons", "autocomplete": "off"}
# A visible letter or digit. Hangul fillers count as letters, but show nothing.
VISIBLE_LETTER = r"[^\W_\u115f\u1160\u3164\uffa0]"


class ReasonInput(forms.BoundField):
    """The reason on a page, which takes the focus when it is what is wrong."""

    def build_widget_attrs(
        self, attrs: dict[str, Any], widget: forms.Widget | None = None
    ) -> dict[str, Any]:
        """Django's, and the focus."""
        attributes = super().build_widget_attrs(attrs, widget)
        if self.errors:
            attributes["autofocus"] = True
        return attributes


class ReasonField(forms.CharField):
    """Why something changes. It is kept with the change set."""

    default_validators = [RegexValidator(VISIBLE_LETTER, REASON_REQUIRED, code="required")]

    def __init__(self) -> None:
        super().__init__(
            label="Reason for this change",
            max_length=1000,
            widget=forms.TextInput(attrs=REASON_ATTRIBUTES),
            help_text="Applies to everything you changed on this page; shown in the history.",
            error_messages={"required": REASON_REQUIRED},
        )

    def get_bound_field(self, form: forms.BaseForm, field_name: str) -> forms.BoundField:
        """The field of a form."""
        return ReasonInput(form, self, field_name)
