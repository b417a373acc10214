"""Accounts in the admin: a name, a password and a role. Staff status and single permissions are out of sight."""

from collections.abc import Iterable, Sequence
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.options import InlineModelAdmin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.forms import BaseUserCreationForm, UserChangeForm
from django.contrib.auth.models import Group, User
from django.core.exceptions import ValidationError
from django.db.models import Field, ManyToManyField, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.text import capfirst

from ownership.admin.changelists import NOTHING, TolerantLists
from ownership.admin.saving import admin_change_set
from ownership.history.bulk import delete_rows
from ownership.models import Membership, ProviderIdentity
from ownership.models.rights import TEAM_LEADS, VIEWERS

# Roles, as the form's values.
LEAD, VIEWER, ADMINISTRATOR, NO_ROLE = "lead", "viewer", "administrator", ""
ROLE_NAMES = {LEAD: "Team lead", VIEWER: "Viewer", ADMINISTRATOR: "Administrator"}
ROLE_CHOICES = [
    (LEAD, "Team lead: edits the map and sees its history"),
    (VIEWER, "Viewer: sees the map and its history, and suggests changes"),
    (ADMINISTRATOR, "Administrator: everything, accounts too"),
]
GROUP_OF_ROLE = {LEAD: TEAM_LEADS, VIEWER: VIEWERS}
MAIL_ADDRESS_HELP = "Where mail goes about what the person watches and what waits for them."
LAST_ADMINISTRATOR = "This is the only administrator who can sign in. Make somebody else one first."


def role_of(user: User) -> str:
    """The role that an account's flags and groups amount to; the greatest if several do."""
    if user.is_superuser:
        return ADMINISTRATOR
    groups = {group.name for group in user.groups.all()}
    for role, group in GROUP_OF_ROLE.items():
        if group in groups:
            return role
    return NO_ROLE


class RoleField(forms.ChoiceField):
    """The role as buttons, each with what it may do."""

    widget = forms.RadioSelect

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(choices=ROLE_CHOICES, **kwargs)


class NewAccountForm(BaseUserCreationForm):
    """A new account: most are for team leads."""

    role = RoleField(initial=LEAD)

    class Meta(BaseUserCreationForm.Meta):
        fields = ("username", "email")


class AccountForm(UserChangeForm):
    """An account. Without a role it may not do anything."""

    role = RoleField(required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields[
            "is_active"
        ].help_text = "Only an active account can sign in. Clear this instead of deleting it."
        role = role_of(self.instance)
        self.fields["role"].initial = role
        if role == NO_ROLE:
            choices = [*ROLE_CHOICES, (NO_ROLE, "No role: cannot sign in")]
            self.fields["role"].choices = choices  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """Leave at least one administrator who can sign in."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        stays = cleaned.get("role") == ADMINISTRATOR and cleaned.get("is_active")
        if self.instance.is_superuser and not stays:
            administrators = User.objects.filter(is_superuser=True, is_active=True)
            if not administrators.exclude(pk=self.instance.pk).exists():
                raise ValidationError(LAST_ADMINISTRATOR)
        return cleaned


class RoleFilter(admin.SimpleListFilter):
    """Accounts of one role."""

    title, parameter_name = "role", "role"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return list(ROLE_NAMES.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> QuerySet[User]:
        role = self.value()
        if role == ADMINISTRATOR:
            return queryset.filter(is_superuser=True)
        if role in GROUP_OF_ROLE:
            return queryset.filter(is_superuser=False, groups__name=GROUP_OF_ROLE[role])
        return queryset


class ManyChoicesField(forms.ModelMultipleChoiceField):
    """Refuses a chosen id above 2^63, which Django passes on to SQLite, as it refuses any other unknown id."""

    def clean(self, value: list[str]) -> QuerySet:
        try:
            return super().clean(value)
        except OverflowError:
            params = {"value": max(value, key=len)}
            raise ValidationError(
                self.error_messages["invalid_choice"], "invalid_choice", params
            ) from None


class AccountsMixin(TolerantLists):
    """For users and groups: their forms and lists answer bad values with a message."""

    def formfield_for_dbfield(self, db_field: Field, request: Any, **kwargs: Any) -> Any:
        if db_field.name == "email":
            kwargs |= {"label": "E-mail address", "help_text": MAIL_ADDRESS_HELP}
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def formfield_for_manytomany(
        self,
        db_field: ManyToManyField,
        request: Any = None,
        **kwargs: object,
    ) -> forms.ModelMultipleChoiceField | None:
        kwargs["form_class"] = ManyChoicesField
        return super().formfield_for_manytomany(db_field, request, **kwargs)


class ProviderIdentityInline(admin.TabularInline):
    """Who the account is at the OpenID Connect provider. To delete it releases the account.

    The next person whom the provider sends with the account's name as verified address then gets the account.
    """

    model = ProviderIdentity
    fields = readonly_fields = ("issuer", "subject")
    extra = 0

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whoever may see accounts."""
        return request.user.has_perm("auth.view_user")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Signing in makes them."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A person's number never changes."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whoever may change accounts."""
        return request.user.has_perm("auth.change_user")


admin.site.unregister([User, Group])


@admin.register(User)
class AccountAdmin(AccountsMixin, UserAdmin):
    """Accounts. Their role says what they may do."""

    form = AccountForm
    add_form = NewAccountForm
    add_form_template = None
    add_fieldsets = ((None, {"fields": ("username", "email", "role", "password1", "password2")}),)
    fieldsets = (
        (None, {"fields": ("username", "role", "is_active", "password")}),
        ("Person", {"fields": ("first_name", "last_name", "email")}),
        ("Dates", {"fields": ("last_login", "date_joined")}),
    )
    readonly_fields = ("last_login", "date_joined")
    list_display = ("username", "role", "full_name", "last_login", "is_active")
    list_filter = (RoleFilter, "is_active")
    filter_horizontal = ()

    def get_inlines(self, request: HttpRequest, obj: User | None) -> list[type[InlineModelAdmin]]:
        """Who the account is at the provider, if it came from there."""
        if obj is None or not ProviderIdentity.objects.filter(user=obj).exists():
            return []
        return [ProviderIdentityInline]

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        """The accounts with their groups, which make their roles."""
        return super().get_queryset(request).prefetch_related("groups")

    @admin.display(description="role")
    def role(self, user: User) -> str:
        return ROLE_NAMES.get(role_of(user), NOTHING)

    @admin.display(description="name", ordering="first_name")
    def full_name(self, user: User) -> str:
        return user.get_full_name() or NOTHING

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Administrators' accounts are changed by administrators alone."""
        if obj is not None and obj.is_superuser and not request.user.is_superuser:
            return False
        return super().has_change_permission(request, obj)

    def get_form(
        self,
        request: HttpRequest,
        obj: User | None = None,
        change: bool = False,
        **kwargs: Any,
    ) -> type[forms.ModelForm]:
        """The form. Only administrators make administrators."""
        form = super().get_form(request, obj, change=change, **kwargs)
        if not request.user.is_superuser and "role" in form.base_fields:
            choices = [choice for choice in ROLE_CHOICES if choice[0] != ADMINISTRATOR]
            form.base_fields["role"].choices = choices  # type: ignore[attr-defined]
        return form

    def save_model(
        self,
        request: HttpRequest,
        obj: User,
        form: forms.ModelForm,
        change: bool,
    ) -> None:
        """Save the account, with the flags and groups of its role if that is new."""
        is_new = not change or "role" in form.changed_data
        # The form that resets a password has no role.
        if "role" not in form.cleaned_data or not is_new:
            super().save_model(request, obj, form, change)
            return
        role = form.cleaned_data["role"]
        is_administrator = role == ADMINISTRATOR
        obj.is_superuser = is_administrator
        obj.is_staff = is_administrator
        super().save_model(request, obj, form, change)
        obj.groups.remove(*Group.objects.filter(name__in=GROUP_OF_ROLE.values()))
        if role in GROUP_OF_ROLE:
            obj.groups.add(Group.objects.get(name=GROUP_OF_ROLE[role]))

    def get_deleted_objects(
        self,
        objs: Sequence[User] | QuerySet[User],
        request: HttpRequest,
    ) -> tuple[list[Any], dict[str, int], set[str], list[str]]:
        """What is deleted along. Memberships do not keep an account: they end first."""
        to_delete, numbers, missing, protected = super().get_deleted_objects(objs, request)
        ended = []
        for membership in _memberships(objs):
            ended.append(f"{capfirst(membership._meta.verbose_name)}: {membership}")
        protected = [text for text in protected if text not in ended]
        return [*to_delete, *ended], numbers, missing, protected

    def delete_model(self, request: HttpRequest, obj: User) -> None:
        """End the account's memberships, then delete it."""
        self.delete_queryset(request, User.objects.filter(pk=obj.pk))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """End the accounts' memberships in one change set, then delete them."""
        memberships = list(_memberships(queryset))
        if memberships:
            names = sorted({membership.user.username for membership in memberships})
            accounts = "account" if len(names) == 1 else "accounts"
            were = "was" if len(names) == 1 else "were"
            with admin_change_set(request, f"The {accounts} {', '.join(names)} {were} deleted."):
                delete_rows(memberships)
        super().delete_queryset(request, queryset)

    def response_add(
        self,
        request: HttpRequest,
        obj: User,
        post_url_continue: str | None = None,
    ) -> HttpResponse:
        """Back to the list: there is nothing left to fill in, as there is on Django's page."""
        return admin.ModelAdmin.response_add(self, request, obj, post_url_continue)


def _memberships(users: Iterable[User]) -> QuerySet[Membership]:
    """The users' places in teams."""
    return Membership.objects.filter(user__in=users).select_related("user", "team")


@admin.register(Group)
class AccountGroupAdmin(AccountsMixin, GroupAdmin):
    """Groups of accounts with their single permissions. No page links here: roles are enough."""

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Keep them off the first page."""
        return False
