"""Undoing in the admin: a page that previews what undoing would do now, and then does it."""

from collections import Counter
from collections.abc import Collection
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from ownership.admin.addresses import cause_url
from ownership.history.models import ChangeSet, whole_number
from ownership.plans.blockers import Blocker
from ownership.plans.plan import NotApplied, Stale
from ownership.plans.steps import Preview
from ownership.plans.undo import DELETE, KEEP, RESTORE, REVERT, RowUndo, Undo
from ownership.web.forms import ReasonField

UNFOLDED = 20  # entries seen at once; of more, those of each kind are folded
SHOWN = 200  # entries on a page, besides those that must be chosen
# About half a minute, in which others can't save. More is for `manage.py undo`, which has no browser waiting.
MOST_UNDONE = 60_000
STALE = (
    "Nothing was changed: the registry has changed since this page was opened. "
    "The preview is up to date now; your reason is kept."
)
MAX_REASON = 1_000
NOTHING_DONE = "Nothing was changed: nothing is left to undo, or nothing was selected."
_PERMISSIONS = {RESTORE: "add", DELETE: "delete", REVERT: "change", KEEP: "change"}


class UndoForm(forms.Form):
    """A reason, and what else to undo or leave out. Field values come from history alone."""

    reason = ReasonField()
    conflicts = forms.MultipleChoiceField(required=False)
    every_conflict = forms.BooleanField(required=False)
    rest = forms.BooleanField(required=False)

    def __init__(self, *args: Any, undo: Undo, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.keys = list(undo.conflicts)
        conflicts = self.fields["conflicts"]
        conflicts.choices = [(key, key) for key in self.keys]  # type: ignore[attr-defined]

    def chosen(self) -> Collection[str]:
        """The conflicts that are selected, also where the form is not valid."""
        if not self.is_bound:
            return set()
        if self["every_conflict"].value():
            return set(self.keys)
        return set(self.keys).intersection(self["conflicts"].value() or [])


class UndoPage:
    """The page, as a part of the change sets' admin."""

    def undo_view(
        self, request: HttpRequest, revision: int, sequence: int | None = None
    ) -> HttpResponse:
        """Preview the undo against the current map; on POST, do it as a change set that names this one."""
        change = self.change_set(request, str(revision))  # type: ignore[attr-defined]
        undo = _undo_or_refuse(request, revision, sequence)
        initial = {"reason": _suggested_reason(change)}
        form = UndoForm(
            request.POST if request.method == "POST" else None, undo=undo, initial=initial
        )
        problem = ""
        if form.is_bound:
            problem = _problem(request, undo, form)
            if not problem and form.is_valid():
                try:
                    return self._apply(request, undo, form)
                except Stale:
                    problem = STALE
                    undo = _undo_or_refuse(request, revision, sequence)
                    form = UndoForm(request.POST, undo=undo)
                except NotApplied as error:
                    problem = f"Nothing was changed. {error}"
        context = _context(undo, form, request.user, whole_number(request.GET.get("from")) or 0)
        context |= {
            "change_set": change,
            "form": form,
            "fingerprint": undo.fingerprint(),
            "problem": problem,
        }
        entry = _undone_entry(undo, sequence)
        context["act"] = "Restore" if entry and entry.action == RESTORE else "Undo"
        title = f"Undo revision {revision}"
        if entry is not None:
            title = f"{context['act']} {entry.entry.label}, revision {revision}"
        return self.page(request, "undo", title, context)  # type: ignore[attr-defined]

    def _apply(self, request: HttpRequest, undo: Undo, form: UndoForm) -> HttpResponse:
        """Undo what the form asks for. Raises NotApplied."""
        plan = undo.plan(form.chosen())
        if form.cleaned_data["rest"]:
            plan = plan.without_blocked(request.user)  # type: ignore[arg-type]
        revision = plan.apply(
            user=request.user,  # type: ignore[arg-type]
            reason=form.cleaned_data["reason"],
            source=ChangeSet.Source.RESTORE,
            undoes=undo.revision,
        )
        if revision is None:
            messages.warning(request, NOTHING_DONE)
            return HttpResponseRedirect(request.get_full_path())
        messages.success(request, f"Undone (revision {revision}).")
        return HttpResponseRedirect(reverse("pages:change-set", args=[revision]))


def _suggested_reason(change: ChangeSet) -> str:
    """The reason that the page suggests for undoing a change set."""
    return f"Undo revision {change.revision}: {change.reason}"[:MAX_REASON]


def _undo_or_refuse(request: HttpRequest, revision: int, sequence: int | None) -> Undo:
    """The undo. Http404 if there is nothing to undo, PermissionDenied if the user may not do it by hand."""
    undo = Undo(revision, sequence)
    if not undo.rows:
        raise Http404("There is nothing to undo here.")
    for model, action in {(row.entry.instance_type, row.action) for row in undo.rows}:
        permission = f"ownership.{_PERMISSIONS[action]}_{model._meta.model_name}"
        if not request.user.has_perm(permission):
            raise PermissionDenied
    return undo


def _problem(request: HttpRequest, undo: Undo, form: UndoForm) -> str:
    """Why the posted form can't be applied; a missing reason is reported at its field."""
    if "reason" in form.errors:
        return ""
    if request.POST.get("fingerprint") != undo.fingerprint():
        return STALE
    if len(undo.rows) > MOST_UNDONE:
        return "Nothing was changed: this is more than a page can undo."
    if "conflicts" in form.errors:
        return f"Nothing was changed. {' '.join(map(str, form.errors['conflicts']))}"
    return ""


def _undone_entry(undo: Undo, sequence: int | None) -> RowUndo | None:
    """The one entry that the page is about, where it is about one."""
    for row in undo.rows:
        if row.entry.sequence == sequence:
            return row
    return None


def _context(undo: Undo, form: UndoForm, user: Any, start: int) -> dict[str, Any]:
    """What the page shows: numbers, blockers, conflicts, and a part of the other rows."""
    chosen = form.chosen()
    plan = undo.plan(chosen)
    conflicting = [row for row in undo.rows if row.conflicts]
    plain = [row for row in undo.rows if not row.conflicts]
    end = min(start + SHOWN, len(plain))
    shown = plain[start:end]
    conflicts = [row.preview(chosen) for row in conflicting]
    blockers = [*plan.blockers, *plan.refused_to(user)]
    blocked = {id(blocker.step) for blocker in blockers}
    return {
        "counts": _counts(undo, chosen),
        "blockers": _linked(blockers[:SHOWN]),
        "more_blockers": len(blockers[SHOWN:]),
        "rest": len(blocked) < len(plan.steps),
        "conflicting": conflicts[:UNFOLDED],
        "conflicts_total": len(conflicts),
        "folded_conflicts": conflicts[UNFOLDED:],
        "chosen": chosen,
        "plain": _previews_by_kind(shown, chosen),
        "is_folded": len(plain) > UNFOLDED,
        "start": start,
        "first": start + 1,
        "last": end,
        "total": len(plain),
        "next": end if end < len(plain) else None,
        "nothing": all(row.action == KEEP for row in undo.rows),
        "too_many": MOST_UNDONE if len(undo.rows) > MOST_UNDONE else None,
    }


def _previews_by_kind(rows: list[RowUndo], chosen: Collection[str]) -> dict[str, list[Preview]]:
    """{kind of row: what undoing does to each}"""
    previews: dict[str, list[Preview]] = {}
    for row in rows:
        previews.setdefault(_kind(row), []).append(row.preview(chosen))
    return previews


def _kind(row: RowUndo) -> str:
    return str(row.entry.instance_type._meta.verbose_name_plural)


def _counts(undo: Undo, chosen: Collection[str]) -> dict[str, Counter]:
    """{kind of row: {action: how many}}"""
    counts: dict[str, Counter] = {}
    for row in undo.rows:
        action = row.action if row.happens(chosen) else KEEP
        counts.setdefault(_kind(row), Counter())[action or "kept"] += 1
    return counts


def _linked(blockers: list[Blocker]) -> list[tuple[Blocker, str]]:
    """Each with the address of the row that is in the way, where there is one."""
    linked = []
    for blocker in blockers:
        linked.append((blocker, cause_url(blocker.cause) if blocker.cause else ""))
    return linked
