"""What all registry models share in the admin: a reason with every write, and the timeline as history page."""

from contextlib import ExitStack
from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.actions import delete_selected
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.utils import unquote
from django.contrib.admin.widgets import AdminURLFieldWidget
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, models
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.template.response import TemplateResponse

from ownership.admin.changelists import CountedLists, SteadyLists
from ownership.admin.conflict import FIELD, Conflict, find_conflict, merged
from ownership.admin.forms import ReasonForm, RegistryForm, _as_typed, steady_autocomplete, without_side_doors
from ownership.audit.timeline import Timeline
from ownership.history.change_sets import change_set
from ownership.history.models import ChangeSet, current_head

REASON_NEEDED = "Say why. Nothing was changed: every change of the map needs a reason."


def delete_with_reason(model_admin: "RegistryAdmin", request: HttpRequest, queryset: QuerySet) -> HttpResponse | None:
    """Django's action, asking for a reason on its confirmation page; all the deletions are one change set.

    Refused where one of the rows changed since that page was opened.
    """
    form, conflict = ReasonForm(request.POST if request.POST.get("post") else None), None
    if form.is_valid():
        with admin_change_set(request, form.cleaned_data["reason"]):
            conflict = find_conflict(request, selected_rows(model_admin, request))[0]
            if conflict is None:
                return delete_selected(model_admin, request, queryset)
    # Without Django's sign that the page was confirmed, it shows the page again.
    post = request.POST.copy()
    post.pop("post", None)
    request.POST = post  # type: ignore[assignment]
    shown = current_head()[0]  # before the rows are read: what changes after that is a conflict
    response = delete_selected(model_admin, request, queryset)
    if isinstance(response, TemplateResponse) and response.context_data is not None:
        response.context_data |= {"reason_form": form, "conflict": conflict, "shown_revision": shown}
    return response


def selected_rows(model_admin: "RegistryAdmin", request: HttpRequest) -> Timeline:
    """What happened to the rows that an action was chosen for, also to those that are gone by now."""
    return Timeline.of_rows(model_admin.model, request.POST.getlist(ACTION_CHECKBOX_NAME))


def admin_change_set(request: HttpRequest, reason: str):
    """The change set of a request in the admin."""
    return change_set(user=request.user, reason=reason, source=ChangeSet.Source.ADMIN)  # type: ignore[arg-type]


class Overtaken(Exception):
    """Somebody changed the row between the checks of a form and its writing."""


class RegistryAdmin(CountedLists, SteadyLists, admin.ModelAdmin):
    """Edits registry rows: every POST is one change set."""

    form = RegistryForm
    # An address typed without a scheme means https (Django's own default is still http, and warns).
    formfield_overrides = {models.URLField: {"widget": AdminURLFieldWidget, "assume_scheme": "https"}}

    def get_view_on_site_url(self, obj: Any = None) -> str | None:
        """The row's page, by the name that it has, not by one just typed into its form."""
        if obj is None or not hasattr(self.model, "get_absolute_url"):
            return None
        stored = self.model.objects.filter(pk=obj.pk).first()
        return stored and stored.get_absolute_url()

    def get_actions(self, request: HttpRequest) -> Any:
        """With a deletion that asks for a reason in the place of Django's."""
        actions: Any = super().get_actions(request)
        if deletion := actions.get("delete_selected"):
            actions["delete_selected"] = (delete_with_reason, *deletion[1:])
        return actions

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """With the autocomplete that stands nonsense."""
        return super().formfield_for_foreignkey(db_field, request, **steady_autocomplete(self, db_field, kwargs))

    def formfield_for_dbfield(self, db_field: models.Field, request: HttpRequest, **kwargs: Any) -> Any:
        """Without the buttons that change or delete the service or group that a field points to."""
        return without_side_doors(super().formfield_for_dbfield(db_field, request, **kwargs))

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """The form, which is not valid while there is a conflict to look at."""
        form: Any = super().get_form(request, obj, change=change, **kwargs)
        form.conflict = getattr(request, "conflict", None)
        return form

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """What the address gives; a new row's place is the last."""
        initial: dict[str, Any] = super().get_changeform_initial_data(request)
        if any(field.name == "position" for field in self.opts.fields):
            last = self.model.objects.aggregate(last=models.Max("position"))["last"]
            initial.setdefault("position", 0 if last is None else min(last + 1, 2**31 - 1))
        return initial

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """The form. A POST is checked, and then written under the lock as one change set.

        The lock is held for the writing alone: leads who save at once wait for each other no longer than that. Where
        something came between that makes the checks untrue, nothing is written, and the form is checked once more.
        """
        context = dict(extra_context or {})
        if request.method != "POST":
            return super().changeform_view(
                request, object_id, form_url, context | {"shown_revision": current_head()[0]}
            )
        try:
            return self._checked_and_written(request, object_id, form_url, context)
        except (Overtaken, IntegrityError, ValidationError):
            return self._checked_and_written(request, object_id, form_url, context)

    def _checked_and_written(
        self, request: Any, object_id: str | None, form_url: str, context: dict[str, Any]
    ) -> HttpResponse:
        request.row_read = None
        if object_id is None:
            context["shown_revision"] = current_head()[0]
        elif self.has_change_permission(request):
            timeline = Timeline.of_row(self.model, unquote(object_id))
            conflict, shown = find_conflict(request, timeline)
            row = self.get_object(request, unquote(object_id))
            if row is not None:
                context = context | self._refuse_if_stale(request, row, conflict, shown)
                request.row_read = row
            elif timeline.exists():
                return self._gone(request, timeline)
        # Django's own, less the transaction that it puts around a POST: on SQLite that would be the lock.
        with ExitStack() as request.writing:
            return self._changeform_view(request, object_id, form_url, context)  # type: ignore[attr-defined]

    def save_model(self, request: Any, obj: Any, form: Any, change: bool) -> None:
        """Take the lock, then write. Raises Overtaken where somebody changed the row since it was checked."""
        request.draft = request.writing.enter_context(admin_change_set(request, form.cleaned_data["reason"]))
        if change and Timeline.of_row(self.model, obj.pk).has_entries_after(int(request.POST[FIELD])):
            raise Overtaken
        super().save_model(request, obj, form, change)

    def save_related(self, request: Any, form: Any, formsets: Any, change: bool) -> None:
        """Write the inlines' rows, then the change set, and give the lock back."""
        super().save_related(request, form, formsets, change)
        request.writing.close()

    def response_change(self, request: Any, obj: Any) -> HttpResponse:
        """Django's answer; of a form in which nothing was changed it says that."""
        request.unchanged = request.draft.revision is None
        return super().response_change(request, obj)

    def message_user(self, request: HttpRequest, message: Any, level: Any = messages.INFO, *args: Any, **kwargs: Any):
        """Django's message, unless it tells of a change that was none."""
        if level == messages.SUCCESS and getattr(request, "unchanged", False):
            message, level = (
                "Nothing was changed: the form held what is stored. There is no new revision.",
                messages.INFO,
            )
        super().message_user(request, message, level, *args, **kwargs)

    def get_object(self, request: HttpRequest, object_id: str, from_field: Any = None) -> Any:
        """The row; the one that this request has read is not read again."""
        row = getattr(request, "row_read", None)
        if row is not None and str(row.pk) == object_id and from_field is None:
            return row
        return super().get_object(request, object_id, from_field)

    def _gone(self, request: HttpRequest, timeline: Timeline) -> HttpResponse:
        """Somebody deleted the row while its form was open: say who and why, and give back what was typed."""
        typed = dict(_as_typed(self.model, request.POST))
        context = {
            **self.admin_site.each_context(request),
            "title": f"{timeline.label()} was deleted meanwhile",
            "opts": self.opts,
            "group": timeline.page(size=1).groups[0],
            "deletion": timeline.last(),
            "typed": typed,
        }
        return TemplateResponse(request, "admin/ownership/gone.html", context, status=409)

    def _refuse_if_stale(self, request: Any, row: Any, conflict: Conflict | None, shown: int) -> dict[str, Any]:
        """Where the row changed since the form was opened: bring the posted form up to date, and make it invalid."""
        if conflict is None:
            return {"shown_revision": shown}
        formsets = [formset for formset, _ in self.get_formsets_with_inlines(request, row)]
        if conflict.groups:
            form = self.get_form(request, row, change=True)
            request.POST = merged(request.POST, shown, row, form, formsets, conflict)
        request.conflict = conflict
        # The conflict's sentence says what happened; Django's "Please correct the error" would be untrue.
        return {"shown_revision": conflict.head, "conflict": conflict, "errors": None}

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Django's page, with a reason to give; refused where the row changed since the page was opened."""
        if not self.has_delete_permission(request):
            raise PermissionDenied
        if request.method != "POST":
            context = {"reason_form": ReasonForm(), "shown_revision": current_head()[0]}
            return super().delete_view(request, object_id, context | (extra_context or {}))
        form, conflict = ReasonForm(request.POST), None
        timeline = Timeline.of_row(self.model, unquote(object_id))
        if form.is_valid():
            with admin_change_set(request, form.cleaned_data["reason"]):
                if self.get_object(request, unquote(object_id)) is None and timeline.exists():
                    return self._gone(request, timeline)
                conflict = find_conflict(request, timeline)[0]
                if conflict is None:
                    return super().delete_view(request, object_id, extra_context)
        else:
            self.message_user(request, REASON_NEEDED, messages.ERROR)
        # Without the sign that the page was confirmed, Django shows it again.
        request.POST = QueryDict()
        context = {"reason_form": form, "conflict": conflict, "shown_revision": current_head()[0]}
        return super().delete_view(request, object_id, context | (extra_context or {}))

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The row's timeline, also where the row is deleted by now."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        timeline = Timeline.of(self.model, unquote(object_id))
        row = self.get_object(request, unquote(object_id))
        if row is None and not timeline.exists():
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)  # type: ignore[attr-defined]
        context = {
            **self.admin_site.each_context(request),
            "title": f"History: {row or timeline.label()}",
            "here": "History",
            "object": row,
            "label": str(row or timeline.label()),
            "deletion": None if row else timeline.last(),
            "page": timeline.page_for(request.GET),
            "opts": self.opts,
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "admin/ownership/timeline.html", context | (extra_context or {}))

    # The change set is the record; Django's own log would say the same again, less well.
    def log_addition(self, request, obj, message):
        """Nothing."""

    def log_change(self, request, obj, message):
        """Nothing."""

    def log_deletions(self, request, queryset):
        """Nothing."""
