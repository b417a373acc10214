"""Suggesting a change on the same form that others save: it is stored as a suggestion, and nothing else is written."""

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin.options import InlineModelAdmin
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse

from ownership.admin.conflict import REVISION_FIELD
from ownership.admin.rights import refusal_of
from ownership.admin.saving import NothingChanged
from ownership.admin.titles import PlainTitles
from ownership.history.models import TrackedRow, current_head, whole_number
from ownership.history.row_states import fetch_row, fetch_rows
from ownership.models import Suggestion
from ownership.plans.division import parts_by_owner
from ownership.plans.steps import Step, attname, copy_of
from ownership.plans.suggested_steps import already_suggested
from ownership.plans.suggestions import suggest
from ownership.web.suggestions import SUGGESTING, suggested

# The button that suggests to delete the row.
DELETE = "_suggest_deletion"
NOTHING_SUGGESTED = (
    "Nothing was suggested: the form matches what is stored. Change something in it first."
)


def is_suggesting(request: HttpRequest) -> bool:
    """Whether the request is for a form of which nothing but a suggestion is stored, by somebody who may suggest."""
    match = request.resolver_match
    if match is None or not str(match.url_name).endswith("_suggest"):
        return False
    return request.user.has_perm(SUGGESTING)


class SuggestPage(PlainTitles):
    """Adds the forms for suggestions, of a row and of a new one. Their addresses end in ``suggest/``."""

    # Of one request: what it made. ConflictMixin makes a copy of the admin for each form posted.
    suggestion: Suggestion | None = None

    def get_urls(self) -> list[URLPattern]:
        """Django's, and the forms for suggestions."""
        view = self.admin_site.admin_view(self.suggest_view)
        name = f"ownership_{self.opts.model_name}"
        return [
            path("suggest/", view, name=f"{name}_new_suggest"),
            path("<path:object_id>/suggest/", view, name=f"{name}_suggest"),
            *super().get_urls(),
        ]

    def suggest_view(self, request: HttpRequest, object_id: str | None = None) -> HttpResponse:
        """The form of a row or a new one, for everybody who may suggest; with the same checks as for saving it."""
        if not is_suggesting(request):
            raise PermissionDenied
        context: dict[str, Any] = {
            "suggesting": True,
            "show_delete": False,
            "show_save_and_continue": False,
        }
        if object_id is None:
            context["title"] = f"Suggest a {self.opts.verbose_name}"
        return self.changeform_view(request, object_id, "", context)

    def form_title(self, request: HttpRequest, obj: Model) -> str:
        """What the form is for."""
        return (
            f"Suggest a change to {obj}"
            if is_suggesting(request)
            else super().form_title(request, obj)
        )

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Model | None = None,
    ) -> HttpResponse:
        """The form's page. If it can only be read, it leads to the form for suggestions."""
        if request.user.has_perm(SUGGESTING):
            name = f"admin:ownership_{self.opts.model_name}"
            address = (
                reverse(f"{name}_suggest", args=[obj.pk]) if obj else reverse(f"{name}_new_suggest")
            )
            if refusal_of(request):
                context["suggest_instead"] = address
            elif obj is not None and not self.has_change_permission(request, obj):
                context["suggest_url"] = address
        return super().render_change_form(request, context, add, change, form_url, obj)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The list. Who may not add rows is led to the form that suggests one."""
        context = dict(extra_context or {})
        if request.user.has_perm(SUGGESTING) and not self.has_add_permission(request):
            context["suggest_new"] = reverse(f"admin:ownership_{self.opts.model_name}_new_suggest")
        return super().changelist_view(request, context)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Also for suggesting a row of this kind, which adds nothing."""
        match = request.resolver_match
        new = f"ownership_{self.opts.model_name}_new_suggest"
        if match is not None and match.url_name == new:
            return is_suggesting(request)
        return super().has_add_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Also for suggesting, which changes nothing."""
        return is_suggesting(request) or super().has_change_permission(request, obj)

    def save_related(
        self,
        request: HttpRequest,
        form: forms.ModelForm,
        formsets: list[forms.BaseFormSet],
        change: bool,
    ) -> None:
        """Store the suggestion, or else save the row and its inlines."""
        if not is_suggesting(request):
            super().save_related(request, form, formsets, change)
            return
        if DELETE in request.POST:
            steps = steps_to_delete(form.instance, formsets)
        else:
            steps = steps_of_form(form, formsets)
        if not steps:
            raise NothingChanged(form.instance, NOTHING_SUGGESTED)
        waiting = already_suggested(steps, steps)
        if len(waiting) == len(steps):
            suggestion = waiting[steps[0]]
            raise NothingChanged(
                form.instance,
                f"Nothing was suggested: suggestion {suggestion.number}, by {suggestion.user_name}, waits already.",
            )
        user: Any = request.user
        # The one that the form shows: there was no conflict with what came later. A new row's form shows none.
        shown = whole_number(request.POST.get(REVISION_FIELD))
        [self.suggestion] = suggest(
            parts_by_owner(steps, user),
            user=user,
            reason=form.cleaned_data["reason"],
            revision=current_head().revision if shown is None else shown,
        )

    def response_add(
        self, request: HttpRequest, obj: Model, post_url_continue: str | None = None
    ) -> HttpResponse:
        """Show the suggestion, or what comes after adding."""
        if self.suggestion is None:
            return super().response_add(request, obj, post_url_continue)
        return self._show_suggestion(request, self.suggestion)

    def response_change(self, request: HttpRequest, obj: Model) -> HttpResponse:
        """Show the suggestion, or what comes after saving."""
        if self.suggestion is None:
            return super().response_change(request, obj)
        return self._show_suggestion(request, self.suggestion)

    def response_post_save_change(self, request: HttpRequest, obj: Model) -> HttpResponseRedirect:
        """Lead on after saving; if nothing was suggested, back to the form."""
        if is_suggesting(request):
            return HttpResponseRedirect(request.get_full_path())
        return super().response_post_save_change(request, obj)

    def _show_suggestion(self, request: HttpRequest, suggestion: Suggestion) -> HttpResponse:
        messages.success(request, suggested())
        return HttpResponseRedirect(suggestion.get_absolute_url())


class SuggestedRows(InlineModelAdmin):
    """The rows of an inline, which may be edited in a form for suggestions."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Also for suggesting."""
        return is_suggesting(request) or super().has_add_permission(request, obj)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Also for suggesting."""
        return is_suggesting(request) or super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Also for suggesting."""
        return is_suggesting(request) or super().has_delete_permission(request, obj)


def steps_of_form(form: forms.ModelForm, formsets: list[Any]) -> list[Step]:
    """What saving a valid form and its inlines would do to each row. Nothing is saved."""
    parent: Any = form.instance
    if parent.pk is None:
        saved = [Step(None, parent)]
    else:
        before = fetch_row(type(parent), parent.pk)
        if before is None:
            return []
        names = [name for name in form.changed_data if name != "reason"]
        saved = _steps_between(before, _with_values(before, parent, names))
        # As it is now: the form's own row has its suggested name already.
        parent = before
    deleted: list[Step] = []
    for formset in formsets:
        formset.save(commit=False)
        for stored in _stored(formset.model, formset.deleted_objects):
            deleted.append(Step(stored, None))
        saved += _changed_rows(formset)
        for new in formset.new_objects:
            setattr(new, formset.fk.name, parent)
            saved.append(Step(None, new))
    return deleted + saved


def steps_to_delete(row: Any, formsets: list[Any]) -> list[Step]:
    """What deleting the form's row does to it and, before that, to the rows of its inlines."""
    steps = []
    for formset in formsets:
        formset.save(commit=False)  # Django then asks it what was saved
        stored = _stored(formset.model, list(formset.get_queryset()))
        steps += [Step(of_row, None) for of_row in stored]
    before = fetch_row(type(row), row.pk)
    if before is not None:
        steps.append(Step(before, None))
    return steps


def _changed_rows(formset: Any) -> list[Step]:
    edited = {row.pk: (row, names) for row, names in formset.changed_objects}
    steps = []
    for before in _stored(formset.model, [row for row, _ in formset.changed_objects]):
        row, names = edited[before.pk]
        steps += _steps_between(before, _with_values(before, row, names))
    return steps


def _with_values(before: TrackedRow, row: Any, names: list[str]) -> TrackedRow:
    """A copy of the stored row with these fields of the one that was entered."""
    after = copy_of(before)
    for name in names:
        column = attname(type(before), name)
        setattr(after, column, getattr(row, column))
    return after


def _stored(model: Any, rows: list[Any]) -> list[TrackedRow]:
    """The rows as they are stored, in their order."""
    stored = fetch_rows(model, [row.pk for row in rows])
    return [stored[row.pk] for row in rows if row.pk in stored]


def _steps_between(before: TrackedRow, after: TrackedRow) -> list[Step]:
    step = Step(before, after, label=str(before))
    return [step] if step.changes() else []
