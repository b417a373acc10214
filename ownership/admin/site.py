"""The admin site itself: who gets in, and what its first page shows."""

from functools import wraps
from typing import Any

from django.conf import settings
from django.contrib import admin
from django.contrib.admin.forms import AdminAuthenticationForm
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.template.response import TemplateResponse

from ownership.history.models import ChangeSet

# SQLite takes only so many conditions, and every word is some.
LONGEST_SEARCH = 200


def may_enter(user: Any) -> bool:
    """Whether someone belongs in the admin: staff, and everyone who may see the map (team leads, viewers).

    So a new lead needs one group and no further tick.
    """
    return user.is_active and (user.is_staff or user.has_perm("ownership.view_table"))


class SignInForm(AdminAuthenticationForm):
    """Django's sign-in with our rule for who gets in."""

    def confirm_login_allowed(self, user: Any) -> None:
        """Refuse accounts that nobody gave a group yet."""
        super(AdminAuthenticationForm, self).confirm_login_allowed(user)
        if not may_enter(user):
            raise self.get_invalid_login_error()


class RegistryAdminSite(admin.AdminSite):
    """Django's admin with our name, our sign-in rule, and the latest changes on its first page."""

    site_header = "Ownership registry"
    site_title = "Ownership registry"
    index_title = "The map"
    login_form = SignInForm
    site_url = "/"
    enable_nav_sidebar = False  # the tables list needs the width: who reads and writes is what people come for

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        """Refuse addresses that no page makes and that databases choke on, before any view sees them."""
        inner = super().admin_view(view, cacheable)

        @wraps(inner)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            asked = [request.path, *(text for values in request.GET.lists() for text in (values[0], *values[1]))]
            if any("\x00" in text for text in asked):
                return HttpResponseBadRequest("An address can't hold the NUL character.", content_type="text/plain")
            if any(len(request.GET.get(name, "")) > LONGEST_SEARCH for name in ("q", "term")):
                message = f"Search with at most {LONGEST_SEARCH} characters."
                return HttpResponseBadRequest(message, content_type="text/plain")
            return inner(request, *args, **kwargs)

        return guarded

    def has_permission(self, request: HttpRequest) -> bool:
        """Staff, team leads and viewers."""
        return may_enter(request.user)

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """By password, and by the company's provider where there is one."""
        return super().login(request, {"by_oidc": bool(settings.OIDC_RP_CLIENT_ID)} | (extra_context or {}))

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        """The first page, with the latest change sets for those who may see history."""
        latest = ChangeSet.objects.all()[:10] if request.user.has_perm("ownership.view_changeset") else None
        return super().index(request, {"latest_changes": latest} | (extra_context or {}))
