"""API tokens in the admin: people create and revoke their own; administrators see everyone's."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from knox.models import get_digest_token
from knox.settings import CONSTANTS, knox_settings

from ownership.admin.changelists import TolerantLists
from ownership.models import ApiToken


@admin.register(ApiToken)
class ApiTokenAdmin(TolerantLists, admin.ModelAdmin):
    """Tokens are created and revoked, never changed. The token itself is shown once."""

    list_display = ("name", "user", "created", "expiry", "last_used")
    fields = ("name", "expiry")

    def get_queryset(self, request: HttpRequest) -> QuerySet[ApiToken]:
        """The user's own tokens; for an administrator, all."""
        tokens = super().get_queryset(request).select_related("user")
        if request.user.is_superuser:
            return tokens
        return tokens.filter(user=request.user)

    def has_change_permission(self, request: HttpRequest, obj: ApiToken | None = None) -> bool:
        """A token is replaced, not changed."""
        return False

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """A token expires after TOKEN_TTL unless another date is entered."""
        return {"expiry": timezone.now() + knox_settings.TOKEN_TTL}

    def save_model(
        self,
        request: HttpRequest,
        obj: ApiToken,
        form: forms.ModelForm,
        change: bool,
    ) -> None:
        """Create the token, keep its hash, and show it once."""
        obj.digest, token = get_digest_token()
        obj.token_key = token[: CONSTANTS.TOKEN_KEY_LENGTH]
        obj.user = request.user
        obj.expiry = obj.expiry or timezone.now() + knox_settings.TOKEN_TTL
        obj.save(force_insert=True)
        # Drop the messages that wait to be shown. Messages that do not fit into the cookie are stored in the session,
        # which lies in the database, where a token must never be.
        list(messages.get_messages(request))
        header = f"Authorization: Token {token}"
        message = f"Copy your token now; it won’t be shown again: {token}"
        self.message_user(request, f"{message}   Send it as a header: {header}", messages.WARNING)
