"""Deciding over findings: accept or waive them, several at once, after seeing what would be written."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.urls import reverse
from django.utils.html import format_html

from ownership.audit import feed
from ownership.audit.descriptions import EntryDescription, describe
from ownership.audit.timeline import Timeline
from ownership.drift.types import Finding, Identity, Offer
from ownership.findings import acceptance, runs, waiving
from ownership.history.change_sets import change_set
from ownership.history.models import ChangeSet, current_head, entries_of
from ownership.history.parsing import whole_number
from ownership.models import DriftRun, Service, Table, TableGroup, Waiver
from ownership.pages.base import BadAddress, Page
from ownership.pages.findings import ACCEPTING, WAIVING, Row, filters_query, identity_of, value_of
from ownership.templatetags.labels import kind_label
from ownership.web.forms import ReasonField
from ownership.web.refusals import refusal

MOST = 200  # findings at once

Chosen = list[Finding | Offer]


class _Rehearsed(Exception):
    """What was written is known; it is taken back."""


class _Moved(Exception):
    """What would be written is not what was shown."""


@dataclass
class Rehearsal:
    """The entries that deciding would write and what other runs would find then, or what stands in the way."""

    entries: list[EntryDescription] = field(default_factory=list)
    made: list[tuple[DriftRun, Finding]] = field(default_factory=list)
    problem: str = ""


class _DecisionPage(Page):
    """POST from the drift page shows what would be written and asks why; POST of that page does it."""

    http_method_names = ["get", "head", "post", "options"]
    needs_sign_in = True
    shows_past = False
    template_name = "ownership/drift_decide.html"
    title: str
    meaning: str
    verb: str
    done: str  # of what the form gave
    permissions: list[str]
    refused: str  # to whom may not

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """There is nothing to see without a choice: to the drift page."""
        return HttpResponseRedirect(reverse("pages:drift"))

    def post(self, request: HttpRequest) -> HttpResponse:
        """Show, or decide under the lock; what is not as it was shown is shown anew and nothing is written."""
        if not request.user.has_perms(self.permissions):
            return refusal(request, 403, "This takes other rights", self.refused)
        identities = list(dict.fromkeys(identity_of(value) for value in request.POST.getlist("finding")))
        run = self._latest(request.POST.get("run", ""))
        if not identities:
            messages.warning(request, "Tick the findings first.")
            return HttpResponseRedirect(self._back())
        if len(identities) > MOST:
            raise BadAddress(f"Decide over {MOST} findings at once at most; {len(identities)} are ticked.")
        chosen, gone = self._chosen(run, identities)
        # Unless it is confirmed, the form is shown again with what was typed so far.
        given = {"data" if "confirmed" in request.POST else "initial": request.POST.dict()}
        form = self.make_form(chosen, **given)
        if form.is_bound and not gone and form.is_valid():
            try:
                return self.decide(run, identities, form)
            except (acceptance.Overtaken, _Moved):
                chosen, gone = self._chosen(run, identities)
                form = self.make_form(chosen, **given)
            except acceptance.CanNotAccept as error:
                form.add_error(None, str(error))
            except ValidationError as error:
                form.add_error(None, error)
        if not chosen:
            told = "; ".join(self._gone(gone))
            messages.warning(request, f"Nothing was written: nothing of what was ticked is so any more. {told}")
            return HttpResponseRedirect(self._back())
        return self._show(run, chosen, gone, form)

    def _back(self) -> str:
        """The drift page with the filters that it had."""
        asked = filters_query(QueryDict(self.request.POST.get("filters", "")))
        return reverse("pages:drift") + (f"?{asked}" if asked else "")

    def _latest(self, number: str) -> DriftRun:
        """The latest run of the series of the run that was shown."""
        run = DriftRun.objects.filter(pk=whole_number(number) or 0).first()
        if run is None:
            raise BadAddress("This run is not kept any more: open the drift page again.")
        return DriftRun.objects.series(run.reader, run.environment)[0]

    def _chosen(self, run: DriftRun, identities: list[Identity]) -> tuple[Chosen, list[Identity]]:
        """What of it is so now, and what isn't any more."""
        shown = self.shown(run)
        try:
            return acceptance.chosen_from(shown, identities), []
        except acceptance.Overtaken as error:
            rest = [identity for identity in identities if identity not in error.identities]
            return acceptance.chosen_from(shown, rest), list(error.identities)

    def shown(self, run: DriftRun) -> runs.ComparedRun:
        """The run against the map as it is now."""
        return runs.compare_run(run, runs.declared_now()[1], [])

    def _gone(self, gone: Iterable[Identity]) -> list[str]:
        """What is not so any more, and who changed its table since the page was made."""
        shown = whole_number(self.request.POST.get("revision"))
        since = current_head()[0] if shown is None else shown
        sentences = []
        for identity in gone:
            pk = feed.id_named(Table, identity.table)
            groups = Timeline.of_row(Table, pk).since(since) if pk else []
            by = ", ".join(
                f"revision {g.change_set.revision} by {g.change_set.user_name}: {g.change_set.reason}" for g in groups
            )
            what = " ".join(filter(None, (kind_label(identity.kind), identity.table, identity.service)))
            sentences.append(f"{what} ({by or 'by a change elsewhere on the map, or by a newer run'})")
        return sentences

    def _show(self, run: DriftRun, chosen: Chosen, gone: list[Identity], form: forms.Form) -> HttpResponse:
        rehearsed = self.rehearse(run, chosen)
        waivers = self.waivers(run, chosen)
        shown = signature(chosen, rehearsed.entries, waivers.values())
        context = self.get_context_data(
            title=self.title,
            meaning=self.meaning,
            verb=self.verb,
            run=run,
            rows=[Row(one, value_of(one), waiver=waivers.get(one)) for one in chosen],
            form=form,
            rehearsed=rehearsed,
            signature=shown,
            gone=self._gone(gone),
            moved="confirmed" in self.request.POST and self.request.POST.get("signature") != shown,
            revision=current_head()[0],
            filters=self.request.POST.get("filters", ""),
            back=self._back(),
        )
        status = 409 if context["moved"] or gone else 200
        return self.render_to_response(context, status=status)

    def make_form(self, chosen: Chosen, **given: Any) -> Any:
        """The form that asks for what deciding takes."""
        raise NotImplementedError

    def rehearse(self, run: DriftRun, chosen: Chosen) -> Rehearsal:
        """What deciding would write."""
        return Rehearsal()

    def waivers(self, run: DriftRun, chosen: Chosen) -> dict[Any, Waiver]:
        """The waivers that the findings have: deciding puts something else in their place."""
        findings = [one for one in chosen if isinstance(one, Finding)]
        return waiving.waivers_of(findings, run.environment or None)

    def write(self, shown: runs.ComparedRun, chosen: Chosen, form: Any, draft: Any) -> list[EntryDescription]:
        """Write the decision into the change set; the entries, where they are shown before."""
        raise NotImplementedError

    def decide(self, run: DriftRun, identities: list[Identity], form: Any) -> HttpResponse:
        """Write, under the lock, what was shown. Raises Overtaken, _Moved, CanNotAccept, ValidationError."""
        reason = form.cleaned_data["reason"]
        with change_set(user=self.request.user, reason=reason, source=ChangeSet.Source.DRIFT) as draft:  # type: ignore[arg-type]
            shown = self.shown(run)
            chosen = acceptance.chosen_from(shown, identities)
            waivers = self.waivers(run, chosen).values()
            if signature(chosen, self.write(shown, chosen, form, draft), waivers) != self.request.POST.get("signature"):
                raise _Moved
        number = "1 finding" if len(chosen) == 1 else f"{len(chosen)} findings"
        address = reverse("admin:ownership_changeset_change", args=[draft.revision])
        link = format_html('<a href="{}">revision {}</a>', address, draft.revision)
        messages.success(self.request, format_html("{} {} as {}.", number, self.done.format(**form.cleaned_data), link))
        return HttpResponseRedirect(self._back())


def signature(chosen: Chosen, entries: list[EntryDescription], waivers: Iterable[Any] = ()) -> str:
    """Names what is shown to be decided, so that something else is not done in its place.

    Without group and owner, which are chosen on the page itself.
    """
    facts = [[value_of(one), getattr(one, "declared", ""), getattr(one, "granted", "")] for one in chosen]
    written = [
        [
            entry.label,
            entry.verb,
            sorted((c.field, c.old, c.new) for c in entry.changes if c.field not in ("group", "owner")),
        ]
        for entry in entries
    ]
    waived = [[str(waiver.until), waiver.reason, waiver.by, str(waiver.since)] for waiver in waivers]
    return hashlib.sha256(json.dumps([facts, written, waived], sort_keys=True).encode()).hexdigest()


class AcceptForm(forms.Form):
    """Why; and for each table that the map gains, its group and owner."""

    def __init__(self, *args: Any, new_tables: dict[str, list[str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.new_tables = list(new_tables)
        for name, services in new_tables.items():
            self.fields[f"group {name}"] = forms.ModelChoiceField(
                TableGroup.objects.all(), label=f"Group of {name}", empty_label="Choose a group"
            )
            self.fields[f"owner {name}"] = forms.ModelChoiceField(
                Service.objects.all(),
                label=f"Owner of {name}",
                empty_label="Choose the owner",
                initial=Service.objects.filter(name__in=services).first(),
            )
        self.fields["reason"] = ReasonField()

    def places(self) -> dict[str, acceptance.Place]:
        """What was chosen, by table."""
        return {
            name: acceptance.Place(self.cleaned_data[f"group {name}"], self.cleaned_data[f"owner {name}"])
            for name in self.new_tables
        }


class AcceptPage(_DecisionPage):
    """Change the map to what the infrastructure shows."""

    title, verb, done = "Accept findings", "Accept", "accepted"
    meaning = "The map becomes what was found. What that writes, and deletes, stands below the list."
    permissions = ACCEPTING
    refused = "Accepting a finding changes tables and accesses: team leads may. Nothing was written."

    def make_form(self, chosen: Chosen, **given: Any) -> AcceptForm:
        """Asks where new tables go."""
        return AcceptForm(**given, new_tables=acceptance.new_tables(chosen))

    def rehearse(self, run: DriftRun, chosen: Chosen) -> Rehearsal:
        """Write it all, read the entries and what other runs find then, and take it back."""
        tables = acceptance.new_tables(chosen)
        group, owner = TableGroup.objects.first(), Service.objects.first()
        if tables and not (group and owner):
            return Rehearsal(problem="A table needs a group and an owner, and the map has none yet: add these first.")
        stand_in = {name: acceptance.Place(group, owner) for name in tables}  # type: ignore[arg-type]
        shown = self.shown(run)
        touched = {one.table for one in chosen}
        before = _elsewhere(run, touched)
        rehearsal = Rehearsal()
        try:
            with change_set(user=self.request.user, reason="Rehearsal", source=ChangeSet.Source.DRIFT) as draft:  # type: ignore[arg-type]
                rehearsal.entries = _accept(shown, chosen, stand_in, draft)
                after = _elsewhere(run, touched)
                rehearsal.made = [after[key] for key in after if key not in before]
                raise _Rehearsed
        except _Rehearsed:
            return rehearsal
        except acceptance.CanNotAccept as error:
            return Rehearsal(problem=str(error))

    def write(self, shown: runs.ComparedRun, chosen: Chosen, form: Any, draft: Any) -> list[EntryDescription]:
        """Accept them; the reason says besides which run found them, and where."""
        draft.reason += f"\n\n{acceptance.evidence(shown.run, chosen)}"
        return _accept(shown, chosen, form.places(), draft)


def _elsewhere(run: DriftRun, tables: set[str]) -> dict[Any, tuple[DriftRun, Finding]]:
    others = [other for other in runs.latest() if other.pk != run.pk]
    found = runs.findings_elsewhere(others, runs.declared_now()[1], tables)
    return {(other.pk, finding.table, finding.service): (other, finding) for other, finding in found}


def _accept(
    shown: runs.ComparedRun, chosen: Chosen, places: dict[str, acceptance.Place], draft: Any
) -> list[EntryDescription]:
    acceptance.accept(shown, chosen, places)
    return [describe(entry) for entry in entries_of([draft.revision])] if draft.revision else []


class WaiveForm(forms.Form):
    """Until when, and why."""

    until = forms.DateField(
        label="Until",
        widget=forms.DateInput(attrs={"type": "date"}),
        help_text="The last day (UTC), a year ahead at most. The finding then counts again.",
    )
    reason = ReasonField()

    def clean_until(self) -> Any:
        """A day on which a waiver may end."""
        waiving.check_until(self.cleaned_data["until"])
        return self.cleaned_data["until"]


class WaivePage(_DecisionPage):
    """Live with findings until a day."""

    title, verb, done = "Waive findings", "Waive", "waived until {until}"
    meaning = (
        "The map stays as it is. Until the day is past, or something else is found granted, these are listed apart "
        "and fail no pipeline."
    )
    permissions = WAIVING
    refused = "Waiving a finding is a decision of team leads. Nothing was written."

    def make_form(self, chosen: Chosen, **given: Any) -> WaiveForm:
        """Suggests a quarter."""
        if any(isinstance(one, Offer) for one in chosen):
            raise BadAddress("Keys that are offered are no drift: there is nothing to waive. Untick them.")
        given["initial"] = {"until": runs.today() + timedelta(days=90)} | given.get("initial", {})
        return WaiveForm(**given)

    def write(self, shown: runs.ComparedRun, chosen: Chosen, form: Any, draft: Any) -> list[EntryDescription]:
        """Waive them; of that the page shows no entries, for all they say is in its form."""
        waiving.waive(chosen, shown.run.environment or None, form.cleaned_data["until"])  # type: ignore[arg-type]
        return []
