"""Rights that follow the owner, in the admin: a row of another team is shown to read, and a form that is refused
comes back with all that was entered.
"""

from django.conf import settings
from django.contrib import admin
from django.db import models
from django.http import HttpRequest

from ownership.history.models import TrackedRow
from ownership.history.row_states import fetch_row
from ownership.models.rights import Rights


def rights_of(request: HttpRequest) -> Rights:
    """The rights of who is signed in, read once for each request. For what is shown: writing is judged again."""
    kept: Rights | None = getattr(request, "_rights", None)
    if kept is None:
        kept = Rights(request.user)
        request._rights = kept  # type: ignore[attr-defined]
    return kept


def refusal_of(request: HttpRequest) -> str:
    """Why the posted form may not be saved, in a sentence; empty if it may, as far as is known."""
    return getattr(request, "_refusal", "")


def refuse(request: HttpRequest, sentence: str) -> None:
    """From now on, the request's form is not valid, because of what the sentence says. It can still be filled in."""
    request._refusal = sentence  # type: ignore[attr-defined]


class RightsMixin(admin.ModelAdmin):
    """Lets people change and delete what their teams own, and read the rest."""

    def why_not(self, request: HttpRequest, obj: models.Model | None) -> str:
        """Who may edit the row, in a sentence, if that is another team; empty otherwise."""
        if not settings.RIGHTS_FOLLOW_OWNER or not isinstance(obj, TrackedRow):
            return ""
        if request.method == "POST" and obj.pk is not None:
            # A form that is checked has put what was entered into the row. Whether the person may give it away is
            # judged when it is written.
            obj = fetch_row(type(obj), obj.pk) or obj
        refusal = rights_of(request).refusal(obj)
        return str(refusal) if refusal else ""

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Not for teams, which only administrators add."""
        return super().has_add_permission(request) and not self.why_not(request, self.model())

    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        """For rows of the own teams. A form that was refused stays one to fill in: it can be sent as a suggestion."""
        if not super().has_change_permission(request, obj):
            return False
        return bool(refusal_of(request)) or not self.why_not(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        """For rows of the own teams."""
        return super().has_delete_permission(request, obj) and not self.why_not(request, obj)

    def refuse_if_not_theirs(self, request: HttpRequest, pk: str) -> None:
        """Refuse a posted form of another team's row instead of answering 403, which would lose what was entered.

        Not if it only suggests.
        """
        if not settings.RIGHTS_FOLLOW_OWNER:
            return
        obj = self.get_object(request, pk)
        if self.has_change_permission(request) and not self.has_change_permission(request, obj):
            refuse(request, self.why_not(request, obj))
