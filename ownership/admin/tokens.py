"""API tokens in the admin: people make and revoke their own; administrators see everyone's."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from knox.models import get_digest_token
from knox.settings import CONSTANTS, knox_settings

from ownership.admin.changelists import SteadyLists
from ownership.models import ApiToken


@admin.register(ApiToken)
class ApiTokenAdmin(SteadyLists, admin.ModelAdmin):
    """Tokens are made and revoked, never changed; the token itself is shown once."""

    list_display = ("name", "user", "created", "expiry", "last_used")
    fields = ("name", "expiry")

    def get_queryset(self, request: HttpRequest) -> QuerySet[ApiToken]:
        """One's own; an administrator's view has all."""
        tokens = super().get_queryset(request).select_related("user")
        return tokens if request.user.is_superuser else tokens.filter(user=request.user)

    def has_change_permission(self, request: HttpRequest, obj: ApiToken | None = None) -> bool:
        """A token is replaced, not changed."""
        return False

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """A year, unless said otherwise."""
        return {"expiry": timezone.now() + knox_settings.TOKEN_TTL}

    def save_model(self, request: HttpRequest, obj: ApiToken, form: Any, change: bool) -> None:
        """Make the token, keep its hash, show it once."""
        obj.digest, token = get_digest_token()
        obj.token_key = token[: CONSTANTS.TOKEN_KEY_LENGTH]
        obj.user = request.user
        obj.expiry = obj.expiry or timezone.now() + knox_settings.TOKEN_TTL
        obj.save(force_insert=True)
        # What else waits to be shown goes: where the cookie has no room, messages lie in the session, in the database.
        list(messages.get_messages(request))
        self.message_user(
            request,
            f"Your token, shown this once: {token}   Send it as a header: Authorization: Token {token}",
            messages.WARNING,
        )
