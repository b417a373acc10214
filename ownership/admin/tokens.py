"""API tokens in the admin: people create and revoke their own; administrators see everyone's."""

from datetime import UTC, date, datetime, time
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.timezone import localdate
from knox.models import get_digest_token
from knox.settings import CONSTANTS, knox_settings

from ownership.admin.changelists import TolerantLists
from ownership.models import ApiToken


class NewTokenForm(forms.ModelForm):
    """A token's name, and the last day on which it is valid."""

    valid_until = forms.DateField(
        widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"),
        help_text="The last day on which it works (UTC), at most a year from now.",
    )

    class Meta:
        model = ApiToken
        fields = ("name",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        last_day = _last_day()
        valid_until = self.fields["valid_until"]
        valid_until.initial = last_day
        valid_until.widget.attrs["max"] = last_day.isoformat()

    def clean_valid_until(self) -> date:
        """A day from today to a year from now."""
        day: date = self.cleaned_data["valid_until"]
        if day < localdate():
            raise ValidationError("This day is past.")
        last_day = _last_day()
        if day > last_day:
            raise ValidationError(
                f"A token is valid for at most a year: choose a day no later than {last_day}."
            )
        return day


def _last_day() -> date:
    """The last day that a token created today may be valid."""
    return localdate() + knox_settings.TOKEN_TTL


@admin.register(ApiToken)
class ApiTokenAdmin(TolerantLists, admin.ModelAdmin):
    """Tokens are created and revoked, never changed. The token itself is shown once."""

    list_display = ("name", "user", "created", "expiry", "last_used")

    def get_queryset(self, request: HttpRequest) -> QuerySet[ApiToken]:
        """The user's own tokens; for an administrator, all."""
        tokens = super().get_queryset(request).select_related("user")
        if request.user.is_superuser:
            return tokens
        return tokens.filter(user=request.user)

    def has_change_permission(self, request: HttpRequest, obj: ApiToken | None = None) -> bool:
        """A token is replaced, not changed."""
        return False

    def get_fields(self, request: HttpRequest, obj: ApiToken | None = None) -> tuple[str, ...]:
        """What to fill in for a new token; what there is to see of another one."""
        if obj is None:
            return ("name", "valid_until")
        return ("name", "user", "created", "expiry", "last_used")

    def get_form(
        self,
        request: HttpRequest,
        obj: ApiToken | None = None,
        change: bool = False,
        **kwargs: Any,
    ) -> type[forms.ModelForm]:
        """The form of a new token. Others have none."""
        if obj is None:
            kwargs["form"] = NewTokenForm
        return super().get_form(request, obj, change=change, **kwargs)

    def add_view(
        self,
        request: HttpRequest,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """The form with one button: whichever was pressed, the token would be shown."""
        buttons = {"show_save_and_continue": False, "show_save_and_add_another": False}
        return super().add_view(request, form_url, buttons | (extra_context or {}))

    def save_model(
        self,
        request: HttpRequest,
        obj: ApiToken,
        form: forms.ModelForm,
        change: bool,
    ) -> None:
        """Create the token and keep its hash. The token itself goes along to ``response_add``, and no further."""
        obj.digest, token = get_digest_token()
        obj.token_key = token[: CONSTANTS.TOKEN_KEY_LENGTH]
        obj.user = request.user
        obj.expiry = datetime.combine(form.cleaned_data["valid_until"], time.max, UTC)
        obj.save(force_insert=True)
        obj.token = token

    def response_add(
        self, request: HttpRequest, obj: ApiToken, post_url_continue: str | None = None
    ) -> HttpResponse:
        """Show the token, this once, on a page that no browser keeps.

        No redirect: the token would have to wait somewhere for the next request.
        """
        context = {
            **self.admin_site.each_context(request),
            "title": f"API token {obj.name}",
            "opts": self.opts,
            "row": obj,
            "token": obj.token,
        }
        return TemplateResponse(request, "admin/ownership/token.html", context)
