"""Django's users and groups in the admin."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, User
from django.core.exceptions import ValidationError
from django.db.models import ManyToManyField, QuerySet

from ownership.admin.changelists import TolerantLists


class ManyChoicesField(forms.ModelMultipleChoiceField):
    """Refuses a chosen id above 2^63, which Django passes on to SQLite, as it refuses any other unknown id."""

    def clean(self, value: list[str]) -> QuerySet:
        try:
            return super().clean(value)
        except OverflowError:
            params = {"value": max(value, key=len)}
            raise ValidationError(self.error_messages["invalid_choice"], "invalid_choice", params) from None


class AccountsMixin(TolerantLists):
    """For users and groups: their forms and lists answer bad values with a message."""

    def formfield_for_manytomany(
        self, db_field: ManyToManyField, request: Any = None, **kwargs: object
    ) -> forms.ModelMultipleChoiceField | None:
        return super().formfield_for_manytomany(db_field, request, form_class=ManyChoicesField, **kwargs)


admin.site.unregister([User, Group])


@admin.register(User)
class AccountAdmin(AccountsMixin, UserAdmin):
    """Accounts. Their groups say what they may do."""


@admin.register(Group)
class AccountGroupAdmin(AccountsMixin, GroupAdmin):
    """Groups of accounts."""
