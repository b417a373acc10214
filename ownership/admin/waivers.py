"""Waivers in the admin. They are made on the drift page; here they are listed, extended and ended."""

from datetime import date
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.timezone import localdate

from ownership.admin.base import RegistryAdmin
from ownership.admin.filters import MyWaivers
from ownership.admin.saving import RegistryForm
from ownership.audit.descriptions import label_in_words
from ownership.drift.types import FINDING_KINDS, label_of, label_of_kind
from ownership.findings.waiving import check_until
from ownership.models import Waiver


class WaiverForm(RegistryForm):
    """Until when. What is waived can't be changed."""

    def clean_until(self) -> date:
        """A day that a waiver may end on. A waiver that has ended may keep its day."""
        until: date = self.cleaned_data["until"]
        if "until" in self.changed_data:
            check_until(until)
        return until


class InForce(admin.SimpleListFilter):
    """Whether the day is past. Waivers that have ended stay, so that they can be extended."""

    title, parameter_name = "state", "day"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("ahead", "in force"), ("past", "ended")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Waiver]) -> QuerySet[Waiver]:
        if self.value() == "ahead":
            return queryset.filter(until__gte=localdate())
        if self.value() == "past":
            return queryset.filter(until__lt=localdate())
        return queryset


class KindFilter(admin.SimpleListFilter):
    """Waivers of one kind of finding."""

    title = parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(kind, label_of_kind(kind)) for kind in FINDING_KINDS]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Waiver]) -> QuerySet[Waiver]:
        if self.value():
            return queryset.filter(kind=self.value())
        return queryset


@admin.register(Waiver)
class WaiverAdmin(RegistryAdmin):
    """Which findings the team ignores, and until when."""

    form = WaiverForm
    list_display = ("finding", "granted_in_words", "until", "why")
    list_filter = (MyWaivers, InForce, KindFilter, "environment")
    search_fields = ("table__name", "table_name", "service__name", "service_name")
    search_help_text = "Searches names of tables and services."
    readonly_fields = ("finding", "granted_in_words")
    fieldsets = [(None, {"fields": ["finding", "granted_in_words", "until"]})]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Waiver]:
        queryset: QuerySet[Waiver] = Waiver.objects.with_decisions()
        return queryset

    def has_add_permission(self, request: HttpRequest) -> bool:
        """No: waivers are made on the drift page, which has the finding."""
        return False

    @admin.display(description="finding")
    def finding(self, waiver: Waiver) -> str:
        return label_in_words(Waiver, str(waiver))

    @admin.display(description="granted", ordering="granted")
    def granted_in_words(self, waiver: Waiver) -> str:
        return label_of(waiver.granted or None)

    @admin.display(description="why")
    def why(self, waiver: Any) -> str:
        """The reason of the change set that made or last changed it; ``with_decisions()`` adds it to the row."""
        return waiver.reason
