"""Undoing in the admin: a page that shows what it would do now and what stands in the way; then doing it."""

from collections import Counter
from collections.abc import Collection
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from ownership.admin.forms import ReasonForm
from ownership.history.change_sets import change_set
from ownership.history.models import ChangeSet
from ownership.history.parsing import whole_number
from ownership.plans import undo
from ownership.web.forms import ReasonField

SHOWN = 200  # entries on a page, besides those that must be chosen
# About half a minute, in which others can't save; more is for `manage.py undo`, which has no browser waiting.
MOST_UNDONE = 60_000
STALE = (
    "Nothing was changed yet: what undoing would do is not what this page showed. "
    "This is how it is now; what you typed is still here."
)
_NEEDED = {"restore": "add", "delete": "delete", "change": "change", "": "change"}


class UndoForm(forms.Form):
    """A reason, and what else to undo or leave out; field values come from history alone."""

    reason = ReasonField()
    conflicts = forms.MultipleChoiceField(required=False)
    every_conflict = forms.BooleanField(required=False)
    rest = forms.BooleanField(required=False)

    def __init__(self, *args: Any, steps: list[undo.Step], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.keys = [key for step in steps for key in step.conflicts]
        self.fields["conflicts"].choices = [(key, key) for key in self.keys]  # type: ignore[attr-defined]

    def chosen(self) -> Collection[str]:
        """The conflicts that are ticked, also where the form is not valid."""
        if not self.is_bound:
            return set()
        ticked = self.keys if self["every_conflict"].value() else self["conflicts"].value()
        return set(self.keys) & set(ticked or [])


class UndoPage:
    """The page, as a part of the change sets' admin."""

    def undo_view(self, request: HttpRequest, revision: int, sequence: int | None = None) -> HttpResponse:
        """Show what undoing would change against now; do it on POST, as a change set that names this one."""
        change = self.change_set(request, str(revision))  # type: ignore[attr-defined]
        problem = ""
        if request.method == "POST" and (reason := ReasonForm(request.POST)).is_valid():
            try:
                done = self._undo(request, change, sequence, reason.cleaned_data["reason"])
            except undo.CanNotUndo as error:
                problem = str(error)
            else:
                if done is not None:
                    messages.success(request, f"Undone, as revision {done}.")
                    return HttpResponseRedirect(reverse("admin:ownership_changeset_change", args=[done]))
                messages.warning(request, "Nothing was left to undo, or nothing was ticked.")
                return HttpResponseRedirect(request.get_full_path())
        steps = self._plan(request, change, sequence)
        form = UndoForm(request.POST if request.method == "POST" else None, steps=steps)
        step = next((one for one in steps if one.entry.sequence == sequence), None)
        act = "Restore" if step and step.action == "restore" else "Undo"
        title = f"{act} {step.entry.label}, revision {revision}" if step else f"Undo revision {revision}"
        context = _told(steps, form, whole_number(request.GET.get("from")) or 0)
        context |= {"change_set": change, "form": form, "plan": undo.fingerprint(steps), "problem": problem, "act": act}
        return self.page(request, "undo", title, context)  # type: ignore[attr-defined]

    def _undo(self, request: HttpRequest, change: ChangeSet, sequence: int | None, reason: str) -> int | None:
        """Undo under the lock; the new revision, or None where nothing changed. CanNotUndo says why not."""
        with change_set(
            user=request.user,  # type: ignore[arg-type]
            reason=reason,
            source=ChangeSet.Source.RESTORE,
            undoes=change.revision,
        ) as draft:
            steps = self._plan(request, change, sequence)
            form = UndoForm(request.POST, steps=steps)
            if request.POST.get("plan") != undo.fingerprint(steps):
                raise undo.CanNotUndo(STALE)
            if len(steps) > MOST_UNDONE:
                raise undo.CanNotUndo("Nothing was changed. That is more than a page can undo.")
            if not form.is_valid():
                raise undo.CanNotUndo(f"Nothing was changed. {' '.join(map(str, form.errors['conflicts']))}")
            if form.cleaned_data["rest"]:
                steps = undo.without_obstacles(steps, form.chosen())
            try:
                undo.apply(steps, form.chosen())
            except undo.CanNotUndo as error:
                raise undo.CanNotUndo(f"Nothing was changed. {error}") from error
        return draft.revision

    def _plan(self, request: HttpRequest, change: ChangeSet, sequence: int | None) -> list[undo.Step]:
        """The steps; Http404 where there are none, PermissionDenied where doing it by hand would not be permitted."""
        steps = undo.plan(change.revision, sequence)
        if not steps:
            raise Http404("There is nothing of this kind to undo.")
        for model, action in {(step.entry.instance_type, step.action) for step in steps}:
            if not request.user.has_perm(f"ownership.{_NEEDED[action]}_{model._meta.model_name}"):
                raise PermissionDenied
        return steps


def _told(steps: list[undo.Step], form: UndoForm, start: int) -> dict[str, Any]:
    """What the page tells: in numbers, what stands in the way, what must be chosen, and some of the rest."""
    chosen = form.chosen()
    obstacles = undo.obstacles(steps, chosen)
    counts: dict[str, Counter] = {}
    for step in steps:
        kind = str(step.entry.instance_type._meta.verbose_name_plural)
        counts.setdefault(kind, Counter())[step.action if step.chosen(chosen) else "stay"] += 1
    plain = [step for step in steps if not step.conflicts]
    blocked = {id(obstacle.step) for obstacle in obstacles}
    return {
        "counts": counts,
        "obstacles": obstacles[:SHOWN],
        "more_obstacles": len(obstacles[SHOWN:]),
        "rest": any(step.action and step.chosen(chosen) and id(step) not in blocked for step in steps),
        "conflicting": [step for step in steps if step.conflicts],
        "chosen": chosen,
        "plain": plain[start : start + SHOWN],
        "start": start,
        "first": start + 1,
        "last": min(start + SHOWN, len(plain)),
        "total": len(plain),
        "next": start + SHOWN if start + SHOWN < len(plain) else None,
        "nothing": not any(step.action for step in steps),
        "too_many": MOST_UNDONE if len(steps) > MOST_UNDONE else None,
    }
