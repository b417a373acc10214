"""Teams in the admin, with their members."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.safestring import SafeString

from ownership.admin.base import RegistryAdmin
from ownership.admin.changelists import NOTHING, counted, links
from ownership.admin.inlines import InlineRowForm, InlineRowFormSet
from ownership.admin.saving import FormFields
from ownership.admin.services import NO_TEAM
from ownership.models import Membership, Team

# The list of names that a member's field offers.
ACCOUNTS = "accounts"


class MembershipForm(InlineRowForm):
    """A member by the account's name: team leads may not see the list of accounts in the admin."""

    user = forms.ModelChoiceField(
        User.objects.filter(is_active=True),
        to_field_name="username",
        label="Account",
        widget=forms.TextInput(
            attrs={
                "list": ACCOUNTS,
                "autocomplete": "off",
                "class": "vTextField",
                "placeholder": "Account",
            }
        ),
        error_messages={"invalid_choice": "No active account has this name."},
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.user_id is not None:
            account = User.objects.filter(pk=self.instance.user_id)
            self.initial["user"] = account.values_list("username", flat=True).first()


class MembershipInline(FormFields, admin.TabularInline):
    """The people of the team: one line each."""

    model = Membership
    form = MembershipForm
    formset = InlineRowFormSet
    template = "admin/ownership/inline_rows.html"
    cells = "admin/ownership/member_cells.html"
    verbose_name = "member"
    verbose_name_plural = "members"
    without_script = "Save, then add one more member at a time."
    fields = ("user", "is_lead")

    def get_extra(self, request: HttpRequest, obj: Team | None = None, **kwargs: object) -> int:
        """One to fill in where there is no script to add more."""
        return 1

    def get_queryset(self, request: HttpRequest) -> QuerySet[Membership]:
        return super().get_queryset(request).select_related("user", "team")


@admin.register(Team)
class TeamAdmin(RegistryAdmin):
    """Teams: who is in them, and what they are answerable for."""

    list_display = ("name", "contact", "leads", "members", "services")
    search_fields = ("name", "contact", "email", "memberships__user__username")
    search_help_text = "Searches names, contacts and members."
    inlines = (MembershipInline,)
    readonly_fields = ("services", "services_and_link")

    def get_fieldsets(self, request: HttpRequest, obj: Team | None = None) -> list[Any]:
        """The team's own fields; for one that exists, also its services."""
        fields = ["name", ("contact", "email"), "oidc_group"]
        if obj:
            sets_teams = request.user.has_perm("ownership.change_service")
            fields.append("services_and_link" if sets_teams else "services")
        return [(None, {"fields": fields})]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Team]:
        return super().get_queryset(request).prefetch_related("services", "memberships__user")

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """The page, with the names of accounts to choose from."""
        names = User.objects.filter(is_active=True).order_by("username")
        context["accounts"] = names.values_list("username", flat=True)
        return super().render_change_form(request, context, *args, **kwargs)

    def before_deleting(self, obj: Team) -> list[tuple[str, str]]:
        """Give its services another team."""
        address = reverse("admin:ownership_service_changelist")
        services = counted(obj.services.count(), "service")
        return [(f"Give its {services} another team", f"{address}?{urlencode({'team': obj.name})}")]

    @admin.display(description="members")
    def members(self, team: Team) -> int:
        return len(team.memberships.all())

    @admin.display(description="leads")
    def leads(self, team: Team) -> str:
        names = [member.user.get_username() for member in team.memberships.all() if member.is_lead]
        return ", ".join(names) or NOTHING

    @admin.display(description="services")
    def services(self, team: Team) -> SafeString | str:
        return links(team.services.all())

    @admin.display(description="services")
    def services_and_link(self, team: Team) -> SafeString:
        """The services, with the way to give the team more of them."""
        address = reverse("admin:ownership_service_changelist")
        return format_html(
            '{}<br><a href="{}?{}">Add services that have no team…</a>',
            self.services(team),
            address,
            urlencode({"team": NO_TEAM}),
        )
