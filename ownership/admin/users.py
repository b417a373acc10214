"""Django's accounts and groups in the admin, with their lists of choices held against any number."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, User
from django.core.exceptions import ValidationError


class _Choices(forms.ModelMultipleChoiceField):
    """SQLite takes no number above 2^63, and Django asks it for any: such a choice is none, as for PostgreSQL."""

    def clean(self, value: Any) -> Any:
        try:
            return super().clean(value)
        except OverflowError:
            params = {"value": max(value, key=len)}
            raise ValidationError(self.error_messages["invalid_choice"], "invalid_choice", params) from None


class _Chosen(admin.ModelAdmin):
    def formfield_for_manytomany(self, db_field: Any, request: Any = None, **kwargs: Any) -> Any:
        return super().formfield_for_manytomany(db_field, request, form_class=_Choices, **kwargs)


admin.site.unregister([User, Group])


@admin.register(User)
class AccountAdmin(_Chosen, UserAdmin):
    """Accounts; their groups say what they may."""


@admin.register(Group)
class GroupsAdmin(_Chosen, GroupAdmin):
    """Groups of accounts."""
