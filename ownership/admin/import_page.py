"""Importing a map in the admin: upload a file, see the difference row by row, apply it with a reason."""

from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from django import forms
from django.contrib import messages
from django.core import signing
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html

from ownership.admin.changelists import counted
from ownership.exchange.imports.formats import UnreadableFile, read_content
from ownership.exchange.imports.import_plan import ImportPlan, plan_import
from ownership.exchange.imports.statements import KINDS, Statements, describe_place
from ownership.history.models import CHANGED, CREATED, DELETED, ChangeSet
from ownership.plans.division import divide
from ownership.plans.plan import NotApplied, Stale
from ownership.plans.steps import Preview, Step
from ownership.web.forms import ReasonField
from ownership.web.suggestions import SUGGESTING, rows_of_others, send

MAX_BYTES = 1_000_000
MAX_SHOWN = 200  # previews and problems on a page
SALT = "ownership.import"
STALE = (
    "Nothing was changed: the map has changed since this preview. The preview is up to date now."
)


class UploadForm(forms.Form):
    """The file, and whether what it leaves out is deleted."""

    file = forms.FileField(
        label="File",
        help_text=(
            "CSV, Markdown, JSON or YAML, as exported from the map, or a workbook (.xlsx) with the columns of CSV; "
            "up to 1 MB."
        ),
        widget=forms.ClearableFileInput(
            attrs={"accept": ".csv,.tsv,.xlsx,.md,.txt,.json,.yaml,.yml"}
        ),
    )
    prune = forms.BooleanField(
        required=False,
        label="Also delete what is missing from the file",
        help_text="Deletes unlisted tables, and unlisted accesses of listed tables. Services are never deleted.",
    )

    def clean_file(self) -> "Upload":
        """The file's name and content."""
        file = self.cleaned_data["file"]
        if file.size > MAX_BYTES:
            raise forms.ValidationError(
                f"The file has {file.size:,} bytes; this page takes up to {MAX_BYTES:,}. Use manage.py import_map."
            )
        return Upload(file.name, file.read())


@dataclass(frozen=True)
class Upload:
    """A file that somebody uploaded, and how to read it.

    Between the preview and applying, the page carries it, signed: nothing is stored until it is applied.
    """

    name: str
    content: bytes
    prune: bool = False

    def signed(self) -> str:
        """The upload for a hidden field."""
        return signing.dumps(
            [self.name, b64encode(self.content).decode(), self.prune], salt=SALT, compress=True
        )

    @classmethod
    def unsigned(cls, value: str) -> "Upload | None":
        """The upload from a hidden field; None for a value that this page did not make."""
        try:
            name, content, prune = signing.loads(value, salt=SALT)
        except signing.BadSignature:
            return None
        return cls(name, b64decode(content), prune)


class ApplyForm(forms.Form):
    """Why the file is imported."""

    reason = ReasonField()


class ImportPage:
    """The page, as a part of the tables' admin."""

    def import_view(self, request: HttpRequest) -> HttpResponse:
        """Ask for a file; with one, preview what importing it would change; with a reason, do that."""
        if not (
            request.user.has_perm("ownership.change_table") or request.user.has_perm(SUGGESTING)
        ):
            raise PermissionDenied
        context: dict[str, Any] = {"form": UploadForm()}
        if "content" in request.POST:
            upload = Upload.unsigned(request.POST["content"])
            if upload is None:
                context["problem"] = "Nothing was changed: please choose the file again."
                return self._import_page(request, context)
            return self._preview_or_apply(request, upload)
        if request.method == "POST":
            form = UploadForm(request.POST, request.FILES)
            context["form"] = form
            if form.is_valid():
                upload = replace(form.cleaned_data["file"], prune=form.cleaned_data["prune"])
                return self._preview_or_apply(request, upload)
        return self._import_page(request, context)

    def _preview_or_apply(self, request: HttpRequest, upload: Upload) -> HttpResponse:
        applying = "apply" in request.POST or "suggest" in request.POST
        form = ApplyForm(request.POST if applying else None)
        try:
            statements = read_content(upload.name, upload.content)
        except UnreadableFile as error:
            context = {"form": UploadForm(), "problem": str(error)}
            return self._import_page(request, context)
        planned = plan_import(statements, prune=upload.prune)
        if "apply" in request.POST and not request.user.has_perm("ownership.change_table"):
            raise PermissionDenied
        problem = ""
        if applying and form.is_valid() and not planned.problems:
            if request.POST.get("fingerprint") != planned.plan.fingerprint():
                problem = STALE
            else:
                try:
                    if "suggest" in request.POST:
                        left = send(request, planned.plan, form.cleaned_data["reason"])
                        if not left.may_apply:
                            return HttpResponseRedirect(reverse("pages:suggestions-mine"))
                    else:
                        return _apply(request, planned, form.cleaned_data["reason"])
                except NotApplied as error:
                    problem = f"Nothing was changed. {error}"
                    if isinstance(error, Stale):
                        problem = STALE
                    # New rows of the plan still have the ids that they got before all was rolled back.
                    planned = plan_import(statements, prune=upload.prune)
        division = divide(planned.plan, request.user)  # type: ignore[arg-type]
        context = _context(statements, planned, division.shown) | {
            "form": UploadForm(),
            "reason_form": form,
            "upload": upload,
            "content": upload.signed(),
            "problem": problem,
            "may_apply": division.may_apply,
            **rows_of_others(division.pending, division.waiting),
            "may_suggest": bool(division.unsuggested) and request.user.has_perm(SUGGESTING),
        }
        return self._import_page(request, context)

    def _import_page(self, request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
        frame = self.admin_site.each_context(request)  # type: ignore[attr-defined]
        page = frame | {"title": "Import a map", "opts": self.opts} | context  # type: ignore[attr-defined]
        return TemplateResponse(request, "admin/ownership/import.html", page)


def _apply(request: HttpRequest, planned: ImportPlan, reason: str) -> HttpResponse:
    """Apply the plan and show its change set. Raises NotApplied."""
    user: Any = request.user
    writable = divide(planned.plan, user).to_apply()
    revision = writable.apply(
        user=user,
        reason=reason,
        source=ChangeSet.Source.IMPORT,
    )
    if revision is None:
        messages.info(request, "Nothing was changed: the map already matches the file.")
        return HttpResponseRedirect(reverse("admin:ownership_import"))
    undo = reverse("admin:ownership_undo", args=[revision])
    message = format_html('Imported as revision {}. <a href="{}">Undo</a>', revision, undo)
    messages.success(request, message)
    return HttpResponseRedirect(reverse("admin:ownership_changeset_change", args=[revision]))


def _context(statements: Statements, planned: ImportPlan, steps: Sequence[Step]) -> dict[str, Any]:
    """What the page shows of these steps of a plan."""
    shown = steps[:MAX_SHOWN]
    kept = []
    for kind in KINDS:
        if planned.kept.get(kind):
            kept.append(counted(planned.kept[kind], kind))
    counts = []
    for history_type, verb in ((CREATED, "added"), (CHANGED, "changed"), (DELETED, "deleted")):
        counts.append((verb, sum(step.history_type == history_type for step in steps)))
    return {
        "planned": planned,
        "previews": [_placed(step, planned) for step in shown],
        "more_previews": len(steps) - len(shown),
        "problems": planned.problems[:MAX_SHOWN],
        "more_problems": max(0, len(planned.problems) - MAX_SHOWN),
        "remarks": statements.remarks,
        "ignored": statements.ignored[:MAX_SHOWN],
        "counts": counts,
        "kept": kept,
        "fingerprint": planned.plan.fingerprint(),
    }


def _placed(step: Step, planned: ImportPlan) -> Preview:
    """The step in words, with its place in the file."""
    place = planned.places.get(step)
    explanation = "Not in the file." if place is None else f"In the file: {describe_place(place)}."
    return replace(step.preview(), explanation=explanation)
