"""Deleting in the admin: with a reason, as one change set, and only what is still as it was shown."""

from copy import copy
from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.actions import delete_selected as delete_without_reason
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.templatetags.admin_urls import add_preserved_filters
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.urls import reverse

from ownership.admin.addresses import history_url
from ownership.admin.forms import ReasonForm
from ownership.admin.saving import ConflictMixin, Context, admin_change_set, say_what_was_saved
from ownership.audit.timeline import Timeline
from ownership.history.models import current_head

REASON_MISSING = "Nothing was deleted. Please give a reason."


class DeletionMixin(ConflictMixin):
    """Asks for a reason before a row is deleted, and asks again if someone else changed the row meanwhile."""

    def delete_view(
        self,
        request: HttpRequest,
        object_id: str,
        extra_context: Context | None = None,
    ) -> HttpResponse:
        """Django's confirmation page with a reason to give."""
        if not self.has_delete_permission(request):
            raise PermissionDenied
        if settings.RIGHTS_FOLLOW_OWNER:
            why_not = self.why_not(request, self.get_object(request, unquote(object_id)))
            if why_not:
                raise PermissionDenied(why_not)
        form = ReasonForm(request.POST or None)
        context = {"reason_form": form} | (extra_context or {})
        if form.is_valid():
            with admin_change_set(request, form.cleaned_data["reason"]) as draft:
                response = self._delete_if_unchanged(request, object_id, context)
            if draft.revision is not None:
                history = history_url(self.model, int(unquote(object_id)))
                say_what_was_saved(request, draft, [("History", history)])
            return response
        if form.is_bound:
            self.message_user(request, REASON_MISSING, messages.ERROR)
            ask_again(request)
        return self._delete_if_unchanged(request, object_id, context)

    def _delete_if_unchanged(
        self,
        request: HttpRequest,
        object_id: str,
        context: Context,
    ) -> HttpResponse:
        """Delete the row, or show the page; shown again if the row changed since it was opened."""
        # Before any row is read: a change after that is a conflict.
        context["shown_revision"] = current_head().revision
        if request.POST:
            pk = unquote(object_id)
            timeline = Timeline.of_forms(self.model, pk)
            if self.get_object(request, pk) is None and timeline.exists():
                return self.deleted_meanwhile(request, timeline)
            conflict = self.find_conflict(request, [pk])
            if conflict is not None:
                context["conflict"] = conflict
                ask_again(request)
        return super().delete_view(request, object_id, context)

    def render_delete_form(self, request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
        """The page; for a row in use, with what to do first."""
        if context.get("protected"):
            context["first"] = self.before_deleting(context["object"])
        return super().render_delete_form(request, context)

    def response_delete(self, request: HttpRequest, obj_display: str, obj_id: int) -> HttpResponse:
        """Back to the list with its filters. What was deleted is said once it is written."""
        address = reverse(f"admin:ownership_{self.opts.model_name}_changelist")
        filters: dict[str, Any] = {
            "preserved_filters": self.get_preserved_filters(request),
            "opts": self.opts,
        }
        return HttpResponseRedirect(add_preserved_filters(filters, address))

    def before_deleting(self, obj: Any) -> list[tuple[str, str]]:
        """What to do before a row in use can be deleted, each with the address to do it at."""
        return []


def _silent(model_admin: DeletionMixin) -> DeletionMixin:
    """The same admin without Django's message, "Successfully deleted 2 services": ours says which, and offers Undo."""
    silent = copy(model_admin)
    silent.message_user = lambda *args, **kwargs: None  # type: ignore[method-assign]
    return silent


def ask_again(request: HttpRequest) -> None:
    """Make Django's deletion pages, which have no hook for that, ask for confirmation once more."""
    request.POST = QueryDict()


def selected_ids(request: HttpRequest) -> list[str]:
    """Ids of the rows selected for an action, including rows deleted by now."""
    return request.POST.getlist(ACTION_CHECKBOX_NAME)


@admin.action(description="Delete selected %(verbose_name_plural)s", permissions=["delete"])
def delete_selected(
    model_admin: DeletionMixin, request: HttpRequest, queryset: models.QuerySet
) -> HttpResponse | None:
    """Django's action of this name, with a reason: all deletions are one change set.

    Its confirmation page is shown again if one of the rows changed since it was opened.
    """
    form = ReasonForm(request.POST if "post" in request.POST else None)
    conflict = None
    if form.is_valid():
        with admin_change_set(request, form.cleaned_data["reason"]) as draft:
            conflict = model_admin.find_conflict(request, selected_ids(request))
            if conflict is None:
                # None, or a page that says why some rows can't be deleted.
                page = delete_without_reason(_silent(model_admin), request, queryset)
        if conflict is None:
            say_what_was_saved(request, draft, [])
            return page
    ask_again(request)
    # Before any row is read: a change after that is a conflict.
    head = current_head().revision
    question: Any = delete_without_reason(model_admin, request, queryset)
    question.context_data |= {"reason_form": form, "conflict": conflict, "shown_revision": head}
    return question
