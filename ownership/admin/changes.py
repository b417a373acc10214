"""Change sets in the admin: all that ever changed, read-only."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from ownership.history import ChangeSet
from ownership.timeline import change_set_entries


@admin.register(ChangeSet)
class ChangeSetAdmin(admin.ModelAdmin):
    """Who changed what, when and why, newest first."""

    list_display = ("revision", "time", "user_name", "reason", "source")
    list_filter = ("source", "time")
    search_fields = ("reason", "user_name")

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Change sets come from changes."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: ChangeSet | None = None) -> bool:
        """History is never rewritten."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: ChangeSet | None = None) -> bool:
        """History is never rewritten."""
        return False

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """One change set with all its entries."""
        change = self.get_object(request, unquote(object_id))
        if change is None:
            raise Http404(f"There is no revision {object_id}.")
        context = {
            **self.admin_site.each_context(request),
            "title": f"Revision {change.revision}",
            "opts": self.opts,
            "change_set": change,
            "entries": change_set_entries(change.revision),
        }
        return TemplateResponse(request, "admin/ownership/change_set.html", context | (extra_context or {}))
