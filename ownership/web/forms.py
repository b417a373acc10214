"""Form fields that the admin and the pages share."""

from django import forms
from django.core.validators import RegexValidator

REASON_REQUIRED = "Please give a reason."
# Pages that have the list suggest the user's latest reasons.
REASON_ATTRIBUTES = {"class": "vTextField", "list": "latest-reasons", "autocomplete": "off"}
# A visible letter or digit. Hangul fillers count as letters, but show nothing.
VISIBLE_LETTER = r"[^\W_\u115f\u1160\u3164\uffa0]"


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
