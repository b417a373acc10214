"""Saving a form in the admin: with a reason, as one change set, and without losing what someone else saved."""

from contextlib import AbstractContextManager
from copy import copy

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.options import IS_POPUP_VAR, BaseModelAdmin
from django.contrib.admin.utils import unquote
from django.contrib.admin.widgets import RelatedFieldWidgetWrapper
from django.core.exceptions import ValidationError
from django.db import IntegrityError, models
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.safestring import SafeString
from django.utils.text import capfirst

from ownership.admin.addresses import change_url, readers_history_url
from ownership.admin.conflict import (
    NO_REVISION,
    REVISION_FIELD,
    FormConflict,
    conflict_since,
    merge_posted,
    posted_in_words,
)
from ownership.admin.forms import Autocomplete, LinesField, UnchangedTexts
from ownership.admin.rights import RightsMixin, refusal_of, refuse
from ownership.audit.descriptions import label_in_words
from ownership.audit.timeline import Timeline
from ownership.history.change_sets import ChangeSetDraft, change_set
from ownership.history.models import CHANGED, CREATED, ChangeSet, Entry, current_head, whole_number
from ownership.history.row_states import describe_field, describe_value
from ownership.models.rights import NotPermitted
from ownership.web.forms import ReasonField

NOTHING_CHANGED = "Nothing was changed: the form matches what is stored. There is no new revision."
# The parameter that says which page to go back to after saving.
NEXT = "next"
# Of more entries, and of longer values, the message after saving says less.
MAX_SAVED_ENTRIES = 4
MAX_SAVED_VALUE = 60

Context = dict[str, object]


def admin_change_set(
    request: HttpRequest,
    reason: str,
) -> AbstractContextManager[ChangeSetDraft]:
    """The change set of a request in the admin. It takes the registry's lock."""
    return change_set(
        user=request.user,  # type: ignore[arg-type]
        reason=reason,
        source=ChangeSet.Source.ADMIN,
    )


def row_changed(form: forms.ModelForm) -> bool:
    """Whether saving the form would change its row: whether the row is new or was edited."""
    edited = set(form.changed_data) - {"reason"}
    return bool(edited) or form.instance.pk is None


class RegistryForm(UnchangedTexts):
    """A registry row's form with the reason, which the page shows above its save buttons."""

    reason = ReasonField()
    # Set by the admin on the class that it makes for one request.
    conflict: FormConflict | None = None
    # Who may save it, if the person may not.
    refusal = ""

    def full_clean(self) -> None:
        """Validate the row if it is new or was edited. Otherwise it holds what is stored."""
        fields = self.fields
        if self.is_bound and not row_changed(self):
            self.fields = {"reason": fields["reason"]}
        super().full_clean()
        self.fields = fields

    def clean(self) -> dict[str, object] | None:
        """Refuse a form with a conflict, and say at each field that both people changed what is stored there."""
        if self.conflict is not None:
            for name, sentence in self.conflict.fields.items():
                self.add_error(name, sentence)
            raise ValidationError(self.conflict.sentence)
        if self.refusal:
            raise ValidationError(self.refusal)
        return super().clean()


class FormFields(BaseModelAdmin):
    """How the fields of forms and inlines point to other rows."""

    def formfield_for_foreignkey(
        self, db_field: models.ForeignKey, request: HttpRequest, **kwargs: object
    ) -> forms.ModelChoiceField | None:
        """With an autocomplete that can draw any posted value."""
        if db_field.name in self.autocomplete_fields:
            kwargs.setdefault("widget", Autocomplete(db_field, self.admin_site))
            # Where no script runs, a name is typed.
            unknown = f"There is no {db_field.related_model._meta.verbose_name} “%(value)s”. "
            unknown += "Choose another one, or check the name."
            kwargs.setdefault("error_messages", {"invalid_choice": unknown})
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def formfield_for_dbfield(
        self, db_field: models.Field, request: HttpRequest, **kwargs: object
    ) -> forms.Field | None:
        """Without buttons to edit the other row: that is a change of its own, with its own reason.

        Nobody types a position: the page's script sets it where rows are put in another order.
        """
        if db_field.name == "position":
            kwargs["widget"] = forms.HiddenInput
        if isinstance(db_field, models.TextField):
            kwargs["form_class"] = LinesField
            # Most texts are a line or two.
            short = forms.Textarea(attrs={"rows": 3, "class": "vLargeTextField"})
            kwargs.setdefault("widget", short)
        if db_field.name.endswith(("_key_type", "_key_format")):
            # The field's own name, "type", says of which key only to who sees what it is beside.
            kwargs["label"] = capfirst(describe_field(db_field.model, db_field.name))
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field and isinstance(field.widget, RelatedFieldWidgetWrapper):
            field.widget.can_change_related = False
            field.widget.can_delete_related = False
            field.widget.can_view_related = False
        return field


class NothingChanged(Exception):
    """A form was saved that holds what is stored; the message says what that means."""

    def __init__(self, row: models.Model, message: str = NOTHING_CHANGED) -> None:
        super().__init__(message)
        self.row = row


def page_to_return_to(request: HttpRequest) -> str | None:
    """The address of our own that the ``next`` parameter names; None if it names none, or a stranger's."""
    address = request.GET.get(NEXT, "")
    if url_has_allowed_host_and_scheme(address, allowed_hosts=None):
        return address
    return None


def describe_saved(entries: list[Entry]) -> SafeString:
    """What was saved, in a line: ``payments → biztechUsers: Read → Read + Write``."""
    sentences = [_saved_entry(entry) for entry in entries[:MAX_SAVED_ENTRIES]]
    if len(entries) > MAX_SAVED_ENTRIES:
        sentences.append(f"{len(entries) - MAX_SAVED_ENTRIES} more")
    return format_html_join(" · ", "{}", [(sentence,) for sentence in sentences])


def _saved_entry(entry: Entry) -> str:
    label = label_in_words(entry.instance_type, entry.label)
    if entry.history_type == CREATED:
        return f"{label} added"
    if entry.history_type != CHANGED:
        return f"{label} removed"
    changes = []
    for name, (old, new) in entry.changes.items():
        changes.append(_saved_field(entry, name, old, new))
    return f"{label}: {', '.join(changes)}"


def _saved_field(entry: Entry, name: str, old: object, new: object) -> str:
    model = entry.instance_type
    field = describe_field(model, name)
    before = describe_value(model, name, old) or "empty"
    after = describe_value(model, name, new) or "empty"
    if name == "mode":
        return f"{before} → {after}"
    if len(before) + len(after) > MAX_SAVED_VALUE:
        return f"{field} changed"
    return f"{field} {before} → {after}"


def say_what_was_saved(
    request: HttpRequest, draft: ChangeSetDraft, links: list[tuple[str, str]]
) -> None:
    """The message about a change set, with these links, as (words, address), and Undo; none if it is empty."""
    if draft.revision is None:
        return
    undo = ("Undo", reverse("admin:ownership_undo", args=[draft.revision]))
    ways = format_html_join(" · ", '<a href="{1}">{0}</a>', [*links, undo])
    what = describe_saved(draft.entries)
    end = "" if what.endswith(".") else "."
    messages.success(request, format_html("Saved: {}{} {}", what, end, ways))


class ReasonMixin(admin.ModelAdmin):
    """Asks for a reason, and writes everything that one save changes as one change set."""

    # Of one request: what it saved. ConflictMixin makes a copy of the admin for each form posted.
    saved: ChangeSetDraft

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: Context | None = None,
    ) -> HttpResponse:
        """The form. After saving, say so if nothing was changed."""
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except NothingChanged as unchanged:
            self.message_user(request, str(unchanged), messages.INFO)
            if "_continue" in request.POST:
                return HttpResponseRedirect(request.get_full_path())
            return self.response_post_save_change(request, unchanged.row)

    def save_model(
        self,
        request: HttpRequest,
        obj: models.Model,
        form: forms.ModelForm,
        change: bool,
    ) -> None:
        """Write nothing yet: Django calls ``save_related`` next, which writes the row and its inlines together."""

    def save_related(
        self,
        request: HttpRequest,
        form: forms.ModelForm,
        formsets: list[forms.BaseFormSet],
        change: bool,
    ) -> None:
        """Write the row and its inlines in one change set."""
        with admin_change_set(request, form.cleaned_data["reason"]) as draft:
            super().save_model(request, form.instance, form, change)
            super().save_related(request, form, formsets, change)
        if draft.revision is None:
            raise NothingChanged(form.instance)
        self.saved = draft

    def response_add(
        self, request: HttpRequest, obj: models.Model, post_url_continue: str | None = None
    ) -> HttpResponse:
        """Say what was added; a window that another form opened closes as Django has it."""
        if IS_POPUP_VAR in request.POST:
            return super().response_add(request, obj, post_url_continue)
        self._say_what_was_saved(request, obj)
        if "_continue" in request.POST:
            return HttpResponseRedirect(change_url(type(obj), obj.pk))
        if "_addanother" in request.POST:
            return HttpResponseRedirect(request.get_full_path())
        return self.response_post_save_add(request, obj)

    def response_change(self, request: HttpRequest, obj: models.Model) -> HttpResponse:
        """Say what was changed, with a way to undo it."""
        self._say_what_was_saved(request, obj)
        if "_continue" in request.POST:
            return HttpResponseRedirect(request.get_full_path())
        return self.response_post_save_change(request, obj)

    def response_post_save_add(
        self, request: HttpRequest, obj: models.Model
    ) -> HttpResponseRedirect:
        """Back to where the person came from; otherwise to the list."""
        address = page_to_return_to(request)
        return (
            HttpResponseRedirect(address)
            if address
            else super().response_post_save_add(request, obj)
        )

    def response_post_save_change(
        self, request: HttpRequest, obj: models.Model
    ) -> HttpResponseRedirect:
        """Back to where the person came from; otherwise to the list."""
        address = page_to_return_to(request)
        return (
            HttpResponseRedirect(address)
            if address
            else super().response_post_save_change(request, obj)
        )

    def _say_what_was_saved(self, request: HttpRequest, obj: models.Model) -> None:
        """The message after saving, with View, History and Undo."""
        links = []
        if hasattr(obj, "get_absolute_url"):
            links.append(("View", obj.get_absolute_url()))
        links.append(("History", readers_history_url(obj)))
        say_what_was_saved(request, self.saved, links)

    # The change set is the record: Django's own log would repeat it with less detail.

    def log_addition(self, request, obj, message):
        """Nothing."""

    def log_change(self, request, obj, message):
        """Nothing."""

    def log_deletions(self, request, queryset):
        """Nothing."""


class Overtaken(Exception):
    """Someone changed the row after its form was checked and before it was written."""


class ConflictMixin(RightsMixin):
    """Refuses a form whose row someone else changed since it was opened, and shows both versions merged."""

    # Of one request: ``_check_and_save`` sets it on a copy of the admin.
    conflict: FormConflict | None = None

    def find_conflict(self, request: HttpRequest, object_ids: list[str]) -> FormConflict | None:
        """What changed in these rows since the posted page was opened, or None.

        Under the registry's lock, None stays true until the lock is released.
        """
        head = current_head().revision
        shown = whole_number(request.POST.get(REVISION_FIELD))
        if shown is None or shown > head:
            return FormConflict(NO_REVISION, head, shown=head)
        if shown == head:
            return None
        timeline = Timeline.of_forms(self.model, *object_ids)
        if not timeline.has_entries_after(shown):
            return None
        return conflict_since(timeline, shown, head)

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: Context | None = None,
    ) -> HttpResponse:
        """The form. A POST is checked without the registry's lock; the lock is held for the writing alone.

        If someone else saves between the checks and the lock, nothing is written and everything is checked again.
        """
        context = dict(extra_context or {})
        if request.method != "POST":
            context["shown_revision"] = current_head().revision
            response = super().changeform_view(request, object_id, form_url, context)
            if response.status_code == 302 and object_id is not None:
                return self._not_there(request, unquote(object_id), response)
            return response
        if object_id is not None:
            self.refuse_if_not_theirs(request, unquote(object_id))
        try:
            return self._check_and_save_again(request, object_id, form_url, context)
        except NotPermitted as refused:
            # What was entered is right, but not for this person to write.
            refuse(request, str(refused))
            return self._check_and_save(request, object_id, form_url, context)

    def _check_and_save_again(
        self, request: HttpRequest, object_id: str | None, form_url: str, context: Context
    ) -> HttpResponse:
        """Check and save; once more if someone else saved between the checks and the lock."""
        try:
            return self._check_and_save(request, object_id, form_url, context)
        except (Overtaken, IntegrityError, ValidationError):
            return self._check_and_save(request, object_id, form_url, context)

    def _check_and_save(
        self, request: HttpRequest, object_id: str | None, form_url: str, context: Context
    ) -> HttpResponse:
        """Let Django check and save the form, or show it again: with its errors, or merged if there is a conflict."""
        # Django shares one ModelAdmin among all requests; this copy is for one of them.
        one_request = copy(self)
        if object_id is not None and self.has_change_permission(request):
            pk = unquote(object_id)
            conflict = self.find_conflict(request, [pk])
            context["shown_revision"] = request.POST.get(REVISION_FIELD)
            if conflict is not None:
                row = self.get_object(request, pk)
                timeline = Timeline.of_forms(self.model, pk)
                if row is None and timeline.exists():
                    return self.deleted_meanwhile(request, timeline)
                if row is not None and conflict.groups:
                    self._merge(request, row, conflict)
                # The conflict says what happened; Django's "Please correct the error" would be wrong.
                context |= {"shown_revision": conflict.head, "conflict": conflict, "errors": None}
                one_request.conflict = conflict
        # The public changeform_view opens a transaction around the checks, too, which on SQLite takes the lock.
        return one_request._changeform_view(request, object_id, form_url, context)  # type: ignore[attr-defined]

    def _not_there(self, request: HttpRequest, pk: str, response: HttpResponse) -> HttpResponse:
        """The history of a row that was deleted; Django's answer for a row that never was."""
        if not Timeline.of_forms(self.model, pk).exists():
            return response
        # Django says "Perhaps it was deleted?", which its history knows for certain.
        list(messages.get_messages(request))
        address = reverse(f"admin:ownership_{self.opts.model_name}_history", args=[pk])
        return HttpResponseRedirect(address)

    def _merge(self, request: HttpRequest, row: models.Model, conflict: FormConflict) -> None:
        """Merge the posted form with what is stored now, for the page to show."""
        form = self.get_form(request, row, change=True)
        formsets = [formset for formset, _ in self.get_formsets_with_inlines(request, row)]
        request.POST = merge_posted(request.POST, row, form, formsets, conflict)  # type: ignore[assignment]

    def deleted_meanwhile(self, request: HttpRequest, timeline: Timeline) -> HttpResponse:
        """Say who deleted the row while its form was open, and why; give back what was entered."""
        context = {
            **self.admin_site.each_context(request),
            "title": f"{timeline.label()} was deleted meanwhile",
            "opts": self.opts,
            "group": timeline.page(size=1).groups[0],
            "deletion": timeline.last(),
            "typed": posted_in_words(self.model, request.POST),
        }
        return TemplateResponse(request, "admin/ownership/gone.html", context, status=409)

    def get_form(
        self,
        request: HttpRequest,
        obj: models.Model | None = None,
        change: bool = False,
        **kwargs: object,
    ) -> type[forms.ModelForm]:
        """The form. It is not valid while there is a conflict to look at, or if it was refused."""
        form = super().get_form(request, obj, change=change, **kwargs)
        form.conflict = self.conflict  # type: ignore[attr-defined]
        form.refusal = refusal_of(request)  # type: ignore[attr-defined]
        return form

    def save_model(
        self,
        request: HttpRequest,
        obj: models.Model,
        form: forms.ModelForm,
        change: bool,
    ) -> None:
        """Write the row if it was edited. Under the lock: raises Overtaken if someone else changed it meanwhile."""
        if change and self.find_conflict(request, [str(obj.pk)]) is not None:
            raise Overtaken
        if row_changed(form):
            super().save_model(request, obj, form, change)
