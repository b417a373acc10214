"""Deciding about findings: accept or waive several of them, after a preview of what would be written."""

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.urls import reverse
from django.utils.html import format_html
from django.utils.timezone import localdate

from ownership.audit import feed
from ownership.audit.timeline import Timeline
from ownership.drift.types import Finding, Identity, Offer
from ownership.findings import runs, waiving
from ownership.findings.acceptance import (
    Acceptance,
    Choice,
    Placement,
    choose,
    evidence,
    new_tables,
    plan_acceptance,
)
from ownership.findings.runs import Basis, read_basis
from ownership.history.models import ChangeSet, current_head, whole_number
from ownership.history.row_states import describe_day
from ownership.models import DriftRun, Service, Table, TableGroup
from ownership.pages.base import BadAddress, Context, Page
from ownership.pages.findings import ACCEPTING, OF_TODAY, WAIVING, filters_query
from ownership.plans.division import divide
from ownership.plans.plan import NotApplied, Plan
from ownership.plans.steps import Step
from ownership.templatetags.display import kind_label
from ownership.web.forms import ReasonField
from ownership.web.refusals import refusal
from ownership.web.suggestions import SUGGESTING, rows_of_others, send

MAX_FINDINGS = 200  # in one decision
SUGGESTED_WAIVER = timedelta(days=90)
# The value of the button that sends the decision to the owners.
AS_SUGGESTIONS = "suggest"
MEANING_OF_SUGGESTING = (
    "Each owner gets what concerns their tables as a suggestion, as previewed below. "
    "The map does not change until they take it."
)
NO_GROUP_OR_OWNER = (
    "A new table needs a group and an owner, and the map has none yet: add them first."
)


def identity_of(value: str) -> Identity:
    """The identity that a form field's value names. Raises BadAddress."""
    try:
        kind, table, service = json.loads(value)
        # A database stores neither NUL nor half a character; encoding fails for the latter.
        is_storable = b"\0" not in f"{kind}{table}{service}".encode()
    except (ValueError, TypeError, RecursionError):
        is_storable = False
    if not is_storable or not all(isinstance(name, str) for name in (kind, table, service or "")):
        raise BadAddress("A finding is [kind, table, service].")
    return Identity(kind, table, service)


class _DecisionPage(Page):
    """The first POST, from the drift page, shows a preview and asks for a reason. The page's own POST decides."""

    http_method_names = ["get", "head", "post", "options"]
    needs_role = True
    shows_past = False
    about_today = OF_TODAY
    template_name = "ownership/drift_decide.html"
    title: str
    meaning: str
    verb: str
    done: str  # a format for the form's values
    permissions: list[str]
    refused: str  # to those without the permissions

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Lead to the drift page: without a selection there is nothing to show."""
        return HttpResponseRedirect(reverse("pages:drift"))

    def post(self, request: HttpRequest) -> HttpResponse:
        """Show the preview, or decide. What is no longer as it was shown is shown again, and nothing is written."""
        if not self.may_open():
            return refusal(request, 403, "You don’t have permission to do this", self.refused)
        identities = _posted_identities(request)
        run = _latest_run(request.POST.get("run", ""))
        if not identities:
            messages.warning(request, "Select at least one finding first.")
            return HttpResponseRedirect(self._back())
        return self._preview_or_decide(run, identities)

    def may_open(self) -> bool:
        """Whether the person may see the preview."""
        return self.request.user.has_perms(self.permissions)

    def _preview_or_decide(self, run: DriftRun, identities: Collection[Identity]) -> HttpResponse:
        basis = read_basis(run)
        chosen, gone = choose(basis, identities)
        if not chosen:
            reasons = "; ".join(self._reasons(gone))
            messages.warning(
                self.request,
                f"Nothing was saved: the selected findings no longer apply. {reasons}",
            )
            return HttpResponseRedirect(self._back())
        form = self.make_form(chosen)
        shown = self.shown(basis, chosen)
        signature = _signature(basis, chosen, shown)
        is_moved = form.is_bound and signature != self.request.POST.get("signature")
        if form.is_bound and not gone and not is_moved and form.is_valid():
            try:
                return self._decide(basis, chosen, form)
            except NotApplied as error:
                if current_head() != basis.head:
                    # Somebody saved between reading and writing: read everything again.
                    return self._preview_or_decide(run, identities)
                form.add_error(None, str(error))
            except ValidationError as error:
                form.add_error(None, error)
        context = self._context(basis, chosen, form)
        context |= {
            "signature": signature,
            "moved": is_moved,
            "gone": self._reasons(gone),
        }
        if shown is not None:
            context |= _preview(basis, shown, self.request.user, context["may_decide"])
        return self.render_to_response(context, status=409 if is_moved or gone else 200)

    def _decide(self, basis: Basis, chosen: Sequence[Choice], form: Any) -> HttpResponse:
        """Write the decision. Raises NotApplied, ValidationError."""
        plan = self.plan_to_apply(basis, chosen, form)
        revision = plan.apply(
            user=self.request.user,  # type: ignore[arg-type]
            reason=self.reason(basis, chosen, form),
            source=ChangeSet.Source.DRIFT,
        )
        number = "1 finding" if len(chosen) == 1 else f"{len(chosen)} findings"
        link = ""
        if revision is not None:
            address = reverse("pages:change-set", args=[revision])
            link = format_html(' (<a href="{}">revision {}</a>)', address, revision)
        values = form.cleaned_data
        if "until" in values:
            values = values | {"until": describe_day(values["until"])}
        done = self.done.format(**values)
        messages.success(self.request, format_html("{} {}{}.", number, done, link))
        return HttpResponseRedirect(self._back())

    def _context(self, basis: Basis, chosen: Sequence[Choice], form: forms.Form) -> Context:
        rows = []
        for choice in chosen:
            rows.append(
                {
                    "finding": choice,
                    "value": json.dumps(choice.identity),
                    "waiver": basis.waiver_by_finding.get(choice.identity),
                }
            )
        return self.get_context_data(
            title=self.title,
            meaning=self.meaning,
            verb=self.verb,
            run=basis.run,
            rows=rows,
            form=form,
            revision=basis.head.revision,
            filters=self.request.POST.get("filters", ""),
            back=self._back(),
            may_decide=True,
        )

    def _back(self) -> str:
        """The drift page with the filters that it had."""
        query = filters_query(QueryDict(self.request.POST.get("filters", "")))
        address = reverse("pages:drift")
        return f"{address}?{query}" if query else address

    def _reasons(self, gone: Iterable[Identity]) -> list[str]:
        """For each finding that no longer applies: who has changed its table since the page was made."""
        since = whole_number(self.request.POST.get("revision"))
        reasons = []
        for identity in gone:
            changes = _changes_since(identity.table, since)
            finding = " ".join(
                filter(None, (kind_label(identity.kind), identity.table, identity.service))
            )
            reasons.append(
                f"{finding} ({changes or 'a change elsewhere on the map, or a newer run'})"
            )
        return reasons

    def form_arguments(self) -> dict[str, Any]:
        """What a form is made with. Until it is confirmed, it shows what was typed so far, without checking it."""
        posted = self.request.POST.dict()
        return {"data": posted} if "confirmed" in posted else {"initial": posted}

    def make_form(self, chosen: Sequence[Choice]) -> forms.Form:
        """The form that asks for what the decision needs."""
        raise NotImplementedError

    def shown(self, basis: Basis, chosen: Sequence[Choice]) -> Acceptance | None:
        """What the page previews, if the decision changes the map."""
        return None

    def plan(self, basis: Basis, chosen: Sequence[Choice], form: Any) -> Plan:
        """What the decision writes. Raises NotApplied, ValidationError."""
        raise NotImplementedError

    def plan_to_apply(self, basis: Basis, chosen: Sequence[Choice], form: Any) -> Plan:
        """What the user writes of it."""
        return self.plan(basis, chosen, form)

    def reason(self, basis: Basis, chosen: Sequence[Choice], form: Any) -> str:
        """The reason of the change set."""
        reason: str = form.cleaned_data["reason"]
        return reason


def _posted_identities(request: HttpRequest) -> list[Identity]:
    identities = [identity_of(value) for value in request.POST.getlist("finding")]
    identities = list(dict.fromkeys(identities))
    if len(identities) > MAX_FINDINGS:
        raise BadAddress(
            f"Select at most {MAX_FINDINGS} findings at once; {len(identities)} are selected."
        )
    return identities


def _latest_run(number: str) -> DriftRun:
    """The latest run of the series of the run that was shown."""
    run = DriftRun.objects.filter(pk=whole_number(number) or 0).first()
    if run is None:
        raise BadAddress("This run is no longer kept: open the drift page again.")
    return DriftRun.objects.series(run.reader, run.environment)[0]


def _changes_since(table: str, revision: int | None) -> str:
    """Who has changed the table since then, and why."""
    pk = feed.id_named(Table, table)
    if pk is None or revision is None:
        return ""
    changes = []
    for group in Timeline.of_forms(Table, pk).since(revision):
        change_set = group.change_set
        changes.append(
            f"revision {change_set.revision} by {change_set.user_name}: {change_set.reason}"
        )
    return ", ".join(changes)


def _preview(basis: Basis, acceptance: Acceptance, user: Any, may_decide: bool) -> Context:
    """What is in the way; or the rows that would be written, and what other runs would find then."""
    if acceptance.problems:
        return {"problems": acceptance.problems}
    elsewhere = runs.new_findings_elsewhere(basis.run, acceptance.before, acceptance.after)
    division = divide(acceptance.plan, user)
    # Whose a new table will be is still to be chosen.
    adds_tables = any(_is_of_new_table(step) for step in division.plan.steps)
    refused = [blocker for blocker in division.pending if not _is_of_new_table(blocker.step)]
    shown = set(division.shown)
    previews = zip(acceptance.plan.steps, acceptance.previews(), strict=True)
    return {
        "previews": [preview for step, preview in previews if step in shown],
        "may_decide": may_decide and (adds_tables or bool(division.writable.steps)),
        "may_suggest": user.has_perm(SUGGESTING) and (adds_tables or bool(division.unsuggested)),
        "warnings": acceptance.warnings,
        "elsewhere": elsewhere,
        **rows_of_others(refused, division.waiting),
    }


def _is_of_new_table(step: Step) -> bool:
    return step.table is not None and step.table.pk is None


def _signature(basis: Basis, chosen: Sequence[Choice], acceptance: Acceptance | None) -> str:
    """A digest of what is shown, so that nothing else is decided in its place: findings, waivers and plan."""
    facts: list[list[str | None]] = []
    for choice in chosen:
        if isinstance(choice, Offer):
            facts.append([json.dumps(choice.identity), str(choice.key_schema)])
            continue
        verdicts = json.dumps([choice.verdicts, choice.code_paths])
        facts.append(
            [json.dumps(choice.identity), choice.declared, choice.granted, choice.in_code, verdicts]
        )
        waiver: Any = basis.waiver_by_finding.get(choice.identity)
        if waiver is not None:
            facts.append([str(waiver.until), waiver.reason, waiver.by, str(waiver.since)])
    fingerprint = acceptance.plan.fingerprint() if acceptance else ""
    return hashlib.sha256(json.dumps([facts, fingerprint]).encode()).hexdigest()


class AcceptForm(forms.Form):
    """The reason; and for each table that is new to the map, its group and owner."""

    def __init__(self, *args: Any, new_tables: Mapping[str, Sequence[str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.new_tables = list(new_tables)
        for name, services in new_tables.items():
            self.fields[f"group {name}"] = forms.ModelChoiceField(
                TableGroup.objects.all(),
                label=f"Group of {name}",
                empty_label="Choose a group",
            )
            self.fields[f"owner {name}"] = forms.ModelChoiceField(
                Service.objects.all(),
                label=f"Owner of {name}",
                empty_label="Choose the owner",
                initial=Service.objects.filter(name__in=services).first(),
            )
        self.fields["reason"] = ReasonField()

    def placements(self) -> dict[str, Placement]:
        """What was chosen, by table."""
        placements = {}
        for name in self.new_tables:
            placements[name] = Placement(
                self.cleaned_data[f"group {name}"], self.cleaned_data[f"owner {name}"]
            )
        return placements


class AcceptPage(_DecisionPage):
    """Changes the map to what the infrastructure shows."""

    title, verb, done = "Accept findings", "Accept", "accepted"
    meaning = "The map will be updated to match what was found, as previewed below."
    permissions = ACCEPTING
    refused = "Accepting a finding changes tables and accesses, which only team leads may do. Nothing was saved."

    def may_open(self) -> bool:
        """Also who may suggest to accept."""
        return super().may_open() or self.request.user.has_perm(SUGGESTING)

    def _context(self, basis: Basis, chosen: Sequence[Choice], form: forms.Form) -> Context:
        context = super()._context(basis, chosen, form)
        context["may_decide"] = self.request.user.has_perms(self.permissions)
        if not context["may_decide"]:
            context |= {"title": "Suggest what was found", "meaning": MEANING_OF_SUGGESTING}
        context["may_suggest"] = self.request.user.has_perm(SUGGESTING)
        return context

    def _decide(self, basis: Basis, chosen: Sequence[Choice], form: Any) -> HttpResponse:
        """Write the decision, or send it to the owners."""
        if self.request.POST["confirmed"] == AS_SUGGESTIONS:
            return self._suggest(basis, chosen, form)
        if not self.request.user.has_perms(self.permissions):
            return refusal(self.request, 403, "You don’t have permission to do this", self.refused)
        return super()._decide(basis, chosen, form)

    def _suggest(self, basis: Basis, chosen: Sequence[Choice], form: Any) -> HttpResponse:
        """Send each owner what concerns their tables, as a suggestion."""
        plan = self.plan(basis, chosen, form)
        left = send(self.request, plan, self.reason(basis, chosen, form))
        if not left.may_apply:
            return HttpResponseRedirect(self._back())
        # What is left is the user's own, and to be accepted here.
        shown = self.shown(basis, chosen)
        context = self._context(basis, chosen, form)
        context |= {"signature": _signature(basis, chosen, shown)}
        context |= _preview(basis, shown, self.request.user, context["may_decide"])
        return self.render_to_response(context)

    def plan_to_apply(self, basis: Basis, chosen: Sequence[Choice], form: Any) -> Plan:
        """Without what waits as a suggestion, for others to write."""
        user: Any = self.request.user
        return divide(self.plan(basis, chosen, form), user).to_apply()

    def make_form(self, chosen: Sequence[Choice]) -> AcceptForm:
        return AcceptForm(**self.form_arguments(), new_tables=new_tables(chosen))

    def shown(self, basis: Basis, chosen: Sequence[Choice]) -> Acceptance:
        """The acceptance with any group and owner for new tables: these are chosen on the page that shows it."""
        tables = new_tables(chosen)
        groups, services = basis.rows["groups"], basis.rows["services"]
        if tables and not (groups and services):
            return Acceptance(
                Plan([], basis.head.revision),
                [NO_GROUP_OR_OWNER],
                [],
                basis.declared,
                basis.declared,
            )
        placements = {name: Placement(groups[0], services[0]) for name in tables}
        return plan_acceptance(basis, chosen, placements)

    def plan(self, basis: Basis, chosen: Sequence[Choice], form: AcceptForm) -> Plan:
        acceptance = plan_acceptance(basis, chosen, form.placements())
        if acceptance.problems:
            raise NotApplied("\n".join(acceptance.problems))
        return acceptance.plan

    def reason(self, basis: Basis, chosen: Sequence[Choice], form: AcceptForm) -> str:
        """What the person wrote, and which run found what, and where."""
        is_accepted = self.request.POST["confirmed"] != AS_SUGGESTIONS
        begin = "Accepted from" if is_accepted else "Found by"
        return f"{super().reason(basis, chosen, form)}\n\n{evidence(basis.run, chosen, begin)}"


class WaiveForm(forms.Form):
    """Until when, and why."""

    until = forms.DateField(
        label="Until",
        widget=forms.DateInput(attrs={"type": "date"}),
        help_text="The last day (UTC), at most a year ahead. After that day the finding counts again.",
    )
    reason = ReasonField()

    def clean_until(self) -> date:
        """A day on which a waiver may end."""
        until: date = self.cleaned_data["until"]
        waiving.check_until(until)
        return until


class WaivePage(_DecisionPage):
    """Ignores findings until a day."""

    title, verb, done = "Waive findings", "Waive", "waived until {until}"
    meaning = (
        "The map stays as it is. Until the end of that day, or until something else is granted, these findings are "
        "listed separately and don’t fail pipelines."
    )
    permissions = WAIVING
    refused = "Only team leads may waive findings. Nothing was saved."

    def make_form(self, chosen: Sequence[Choice]) -> WaiveForm:
        """Suggests a quarter."""
        _only_findings(chosen)
        arguments = self.form_arguments()
        suggestion = {"until": localdate() + SUGGESTED_WAIVER}
        arguments["initial"] = suggestion | arguments.get("initial", {})
        return WaiveForm(**arguments)

    def plan(self, basis: Basis, chosen: Sequence[Choice], form: WaiveForm) -> Plan:
        return waiving.plan_waivers(basis, _only_findings(chosen), form.cleaned_data["until"])


def _only_findings(chosen: Iterable[Choice]) -> list[Finding]:
    findings = []
    for choice in chosen:
        if isinstance(choice, Offer):
            raise BadAddress("Offered keys are not drift, so they can’t be waived. Deselect them.")
        findings.append(choice)
    return findings
