"""Waivers of drift in the admin: seen, prolonged and ended here; they are made on the drift page."""

from datetime import date
from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from ownership.admin.base import RegistryAdmin, RegistryForm
from ownership.findings.runs import today
from ownership.findings.waiving import check_until
from ownership.models import Waiver


class WaiverForm(RegistryForm):
    """Until when; what is waived stays as it is."""

    def clean_until(self) -> date:
        """A day that a waiver may end on, where it is another than before."""
        until: date = self.cleaned_data["until"]
        if "until" in self.changed_data:
            check_until(until)
        return until


class InForce(admin.SimpleListFilter):
    """Whether the day is past; ended waivers stay, so that they can be prolonged."""

    title, parameter_name = "day", "day"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("ahead", "in force"), ("past", "ended")]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        bounds = {"ahead": {"until__gte": today()}, "past": {"until__lt": today()}}
        return queryset.filter(**bounds.get(self.value() or "", {}))


@admin.register(Waiver)
class WaiverAdmin(RegistryAdmin):
    """Which findings the team lives with, and until when."""

    form = WaiverForm
    list_display = ("finding", "granted", "until", "why")
    list_filter = (InForce, "kind", "environment")
    search_fields = ("table__name", "table_name", "service__name", "service_name")
    readonly_fields = ("finding", "granted")
    fieldsets = [(None, {"fields": ["finding", "granted", "until"]})]

    def get_queryset(self, request: HttpRequest) -> Any:
        return Waiver.objects.told()

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Made on the drift page, where the finding is."""
        return False

    @admin.display(description="finding")
    def finding(self, waiver: Waiver) -> str:
        return str(waiver)

    @admin.display(description="why")
    def why(self, waiver: Any) -> str:
        return waiver.reason
