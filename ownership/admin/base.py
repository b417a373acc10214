"""What all registry models share in the admin, saving and deleting apart: lists, the form's page, history."""

from typing import Any

from django import forms
from django.contrib.admin.utils import unquote
from django.contrib.admin.widgets import AdminURLFieldWidget
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from ownership.admin.changelists import LargeLists, TolerantLists
from ownership.admin.deleting import DeletionMixin, delete_selected
from ownership.admin.problems import form_problems
from ownership.admin.rights import refusal_of
from ownership.admin.saving import Context, FormFields, ReasonMixin, RegistryForm
from ownership.audit.timeline import Timeline
from ownership.web.suggestions import SUGGESTING

# The greatest number that a position can hold.
MAX_POSITION = 2**31 - 1


class RegistryAdmin(ReasonMixin, DeletionMixin, FormFields, LargeLists, TolerantLists):
    """Edits the rows of a registry model. Every save is one change set."""

    form = RegistryForm
    actions = [delete_selected]

    # An address entered without a scheme means https; Django's default is still http, and warns.
    formfield_overrides = {
        models.URLField: {"widget": AdminURLFieldWidget, "assume_scheme": "https"},
        # As on the site's pages, without a script.
        models.DateField: {"widget": forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")},
    }

    def has_suggest_permission(self, request: HttpRequest) -> bool:
        """Whether the person may suggest changes, also of many rows at once: actions ask it."""
        return request.user.has_perm(SUGGESTING)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Django's. The buttons of whoever can only suggest say so."""
        actions: dict[str, Any] = super().get_actions(request)
        if self.has_change_permission(request):
            return actions
        suggesting = {}
        for name, (action, _, label) in actions.items():
            suggesting[name] = action, name, f"Suggest: {label[0].lower()}{label[1:]}"
        return suggesting

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: models.Model | None = None,
    ) -> HttpResponse:
        """The form's page. What is wrong is listed at its top, with a link to each field."""
        if context.get("errors"):
            form = context["adminform"].form
            formsets = [inline.formset for inline in context["inline_admin_formsets"]]
            context["problems"] = form_problems(form, formsets)
            # Django's own says no more than "Please correct the errors below".
            context["errors"] = None
        if not add and not refusal_of(request):
            # Of a form that was refused, that is among its problems.
            context["whose"] = self.why_not(request, obj)
        return super().render_change_form(request, context, add, change, form_url, obj)

    def get_view_on_site_url(self, obj: models.Model | None = None) -> str | None:
        """The row's page, by its stored name rather than one just entered in the form."""
        if obj is None or not self.view_on_site or not hasattr(self.model, "get_absolute_url"):
            return None
        stored = self.model._default_manager.filter(pk=obj.pk).first()
        return stored.get_absolute_url() if stored else None

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """What the address gives; a new row comes last."""
        initial: dict[str, Any] = super().get_changeform_initial_data(request)
        if "position" not in {field.name for field in self.opts.fields}:
            return initial
        last = self.model._default_manager.aggregate(last=models.Max("position"))["last"]
        next_position = 0 if last is None else last + 1
        initial.setdefault("position", min(next_position, MAX_POSITION))
        return initial

    def history_view(
        self,
        request: HttpRequest,
        object_id: str,
        extra_context: Context | None = None,
    ) -> HttpResponse:
        """The row's timeline, also after the row was deleted."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        timeline = Timeline.about(self.model, unquote(object_id))
        row = self.get_object(request, unquote(object_id))
        if row is None and not timeline.exists():
            # Django's own page, which says that there is no such row.
            return super().history_view(request, object_id, extra_context)
        label = str(row or timeline.label())
        context = {
            **self.admin_site.each_context(request),
            "title": f"History: {label}",
            "here": "History",
            "object": row,
            "label": label,
            "deletion": None if row else timeline.last(),
            "page": timeline.page_for(request.GET),
            "opts": self.opts,
        }
        request.current_app = self.admin_site.name
        context |= extra_context or {}
        return TemplateResponse(request, "admin/ownership/timeline.html", context)
