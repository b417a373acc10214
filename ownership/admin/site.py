"""The admin site itself: who gets in, signing in and out, and what its first page shows."""

from functools import wraps
from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth.models import AbstractUser, AnonymousUser
from django.contrib.auth.views import LogoutView
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest, HttpResponseRedirect
from django.template.response import TemplateResponse

from ownership.admin.changelists import NOTHING
from ownership.admin.sign_in import next_address, sign_in_reason
from ownership.audit.recent import latest_edits
from ownership.models.rights import has_role
from ownership.web.refusals import has_nul
from ownership.web.sign_in import too_many_sign_ins

# Every word searched for adds conditions, and SQLite takes a limited number of those.
MAX_SEARCH_LENGTH = 200
LATEST_CHANGES = 10
# The first page's lists, the most used first.
MAP = (
    "Table",
    "Service",
    "Access",
    "TableGroup",
    "Environment",
    "Team",
    "Waiver",
    "Endpoint",
    "ChangeSet",
)
ACCOUNTS = ("User", "ApiToken")


def may_enter(user: AbstractUser | AnonymousUser) -> bool:
    """Whether someone may use the admin: staff, and everyone with a role.

    So a new lead needs nothing but a group.
    """
    return user.is_active and (user.is_staff or has_role(user))


class SignInForm(AdminAuthenticationForm):
    """Django's sign-in with our rule for who gets in."""

    error_messages = {
        **AdminAuthenticationForm.error_messages,
        "invalid_login": "Username and password do not match. Both are case-sensitive.",
        "no_role": "This account has no role yet. Ask an administrator to make it a team lead or a viewer.",
    }

    def confirm_login_allowed(self, user: Any) -> None:
        """Refuse accounts without a group; only whoever knows the password learns that."""
        super(AdminAuthenticationForm, self).confirm_login_allowed(user)
        if not may_enter(user):
            raise ValidationError(self.error_messages["no_role"], code="no_role")


class RegistryAdminSite(admin.AdminSite):
    """Django's admin with our name, our sign-in rule, and the latest changes on its first page."""

    site_header = "Ownership registry"
    site_title = "Ownership registry"
    index_title = "Edit the map"
    login_form = SignInForm
    site_url = "/"
    empty_value_display = NOTHING
    enable_nav_sidebar = False  # the list of tables needs the width for its readers and writers

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        """Refuse addresses that no page links to and databases can't handle before any view sees them."""
        inner = super().admin_view(view, cacheable)

        @wraps(inner)
        def guarded(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
            problem = _address_problem(request)
            if problem:
                return HttpResponseBadRequest(problem, content_type="text/plain")
            return inner(request, *args, **kwargs)

        return guarded

    def has_permission(self, request: HttpRequest) -> bool:
        """Staff, team leads and viewers."""
        return may_enter(request.user)

    def login(
        self,
        request: HttpRequest,
        extra_context: dict[str, object] | None = None,
    ) -> HttpResponse:
        """By password, and by the company's provider if there is one. Says why it was asked, and leads back there."""
        if request.method == "POST":
            refused = too_many_sign_ins(request)
            if refused is not None:
                return refused
        address = next_address(request)
        if request.method == "GET" and self.has_permission(request):
            return HttpResponseRedirect(address)
        context = {
            "title": "Sign in",
            "next": address,
            "reason": sign_in_reason(address),
            "map_is_open": settings.ANONYMOUS_READ,
            "by_oidc": bool(settings.OIDC_RP_CLIENT_ID),
        }
        return super().login(request, context | (extra_context or {}))

    def logout(  # type: ignore[override]  # Django's types know its own page alone, which is not shown here
        self,
        request: HttpRequest,
        extra_context: dict[str, object] | None = None,
    ) -> HttpResponse:
        """Sign out and go back to where the person was, which may ask for a sign-in then; otherwise home."""
        response = LogoutView.as_view(next_page="pages:home")(request)
        if response.status_code == 302:
            messages.success(request, "You are signed out.")
        return response

    def index(
        self,
        request: HttpRequest,
        extra_context: dict[str, object] | None = None,
    ) -> TemplateResponse:
        """The first page, with the latest change sets for those who may see history."""
        context: dict[str, object] = {"latest_changes": None}
        if request.user.has_perm("ownership.view_changeset"):
            context["latest_changes"] = latest_edits(LATEST_CHANGES)
        if not request.user.has_perm("ownership.change_table"):
            context["title"] = "Lists"
        return super().index(request, context | (extra_context or {}))

    def get_app_list(
        self, request: HttpRequest, app_label: str | None = None
    ) -> list[dict[str, Any]]:
        """What the user may see in two parts, the map and accounts, in the order of use."""
        apps = super().get_app_list(request, app_label)
        models: dict[str, dict[str, Any]] = {}
        for app in apps:
            for model in app["models"]:
                models[model["object_name"]] = model | {"app": app}
        parts = []
        for name, order in (("Map", MAP), ("Accounts", ACCOUNTS)):
            listed = [models[model] for model in order if model in models]
            if listed:
                parts.append(listed[0]["app"] | {"name": name, "models": listed})
        return parts


def _address_problem(request: HttpRequest) -> str:
    """Why an address is refused, in a sentence; empty if it is not."""
    if has_nul(request):
        return "An address can’t contain the NUL character."
    for name in ("q", "term"):
        if len(request.GET.get(name, "")) > MAX_SEARCH_LENGTH:
            return f"Search for at most {MAX_SEARCH_LENGTH} characters."
    return ""
