"""Form fields that the admin and the pages share."""

from typing import Any

from django import forms

# Hangul's fillers: letters that show nothing.
BLANK_LETTERS = "\u115f\u1160\u3164\uffa0"


class ReasonField(forms.CharField):
    """Why something changes; kept with the change set."""

    def __init__(self) -> None:
        super().__init__(
            label="Why",
            max_length=1000,
            widget=forms.Textarea(attrs={"rows": 2, "class": "vLargeTextField"}),
            help_text="One reason for everything on this page. It stays in the history.",
            error_messages={"required": "Say why: the reason stays in the history with this change."},
        )

    def clean(self, value: Any) -> str:
        """The reason; one in which nothing can be read is none."""
        reason = super().clean(value)
        if not any(character.isalnum() and character not in BLANK_LETTERS for character in reason):
            raise forms.ValidationError(self.error_messages["required"], code="required")
        return reason
