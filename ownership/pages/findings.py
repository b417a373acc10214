"""Drift as a page: what the latest run of each reader and environment says of the map as it is now."""

import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from ownership.drift.types import Finding, Identity, Offer
from ownership.findings import runs
from ownership.findings.acceptance import offer_identity
from ownership.models import Waiver
from ownership.models.drift import KINDS
from ownership.pages.base import BadAddress, Page
from ownership.pages.chart import plot, share
from ownership.templatetags.words import kind

SHOWN = 200  # findings of a run; filters lead to the others
STATES = {"open": "not waived", "new": "new since the run before", "waived": "waived"}
FILTERS = ("reader", "environment", "kind", "owner", "table", "service", "state")
ACCEPTING = [
    *(
        f"ownership.{verb}_{name}"
        for name in ("table", "access", "secondaryindex")
        for verb in ("add", "change", "delete")
    ),
    "ownership.delete_waiver",
]
WAIVING = ["ownership.add_waiver", "ownership.change_waiver"]


@dataclass(frozen=True)
class Row:
    """A finding or an offer as the page lists it; ``value`` is what its checkbox posts."""

    finding: Any
    value: str
    new: bool = False
    waiver: Waiver | None = None
    ended: Waiver | None = None  # one that covers it no more: its day is past, or something else is granted
    known: bool = False  # whether the map has the service


def value_of(one: Finding | Offer) -> str:
    """A finding's or offer's identity as a form's value."""
    return json.dumps(one.identity if isinstance(one, Finding) else offer_identity(one))


def identity_of(value: str) -> Identity:
    """The identity that a form's value names; BadAddress where it is none."""
    try:
        kind, table, part = json.loads(value)
        nowhere = b"\0" in f"{kind}{table}{part}".encode()  # nor are halves of characters: a database has neither
    except (ValueError, TypeError, RecursionError):
        raise BadAddress("A finding is [kind, table, service].") from None
    if nowhere or not (isinstance(kind, str) and isinstance(table, str) and (part is None or isinstance(part, str))):
        raise BadAddress("A finding is [kind, table, service].")
    return Identity(kind, table, part)  # type: ignore[arg-type]


def filtered_by(asked: Mapping[str, Any]) -> str:
    """Those of the page's filters that are asked for, as a query."""
    return urlencode({name: asked[name] for name in FILTERS if asked.get(name)})


class DriftPage(Page):
    """Findings by owner and kind, with evidence and what to do; those that are new, and those that are waived."""

    template_name = "ownership/drift.html"
    needs_sign_in = True
    shows_past = False

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """With each run's findings, as the filters leave them."""
        if self.moment:
            raise BadAddress("Drift holds the latest runs against the map of today: leave out revision and as_of.")
        every = runs.latest()
        asked = {name: self.request.GET.get(name, "") for name in FILTERS}
        choices = {**runs.choices(every), "kind": {name: kind(name) for name in KINDS}, "state": STATES}
        for name, known in choices.items():
            if asked[name] and asked[name] not in known:
                raise BadAddress(f"{name} takes {', '.join(known) or 'nothing yet: no run was kept'}.")
        head, declared = runs.declared_now()
        waivers = list(Waiver.objects.told())
        user = self.request.user
        may_accept, may_waive = user.has_perms(ACCEPTING), user.has_perms(WAIVING)
        owners = sorted({str(owner) for owner in declared.owners.values()})
        return super().get_context_data(**kwargs) | {
            "title": "Drift",
            "revision": head[0],
            "asked": asked,
            "filtered": filtered_by(asked),
            "selects": [
                {
                    "name": name,
                    "asked": asked[name],
                    "choices": known.items() if isinstance(known, dict) else zip(known, known, strict=True),
                }
                for name, known in (choices | {"owner": owners}).items()
            ]
            if every
            else [],
            "runs": [
                _section(runs.show(run, declared, waivers), waivers, asked)
                for run in runs.chosen(every, asked["reader"], asked["environment"])
            ],
            "may_accept": may_accept,
            "may_waive": may_waive,
            "may_decide": may_accept or may_waive,
        }


def _section(shown: runs.Shown, waivers: list[Waiver], asked: dict[str, str]) -> dict[str, Any]:
    shown = shown.about(**{name: asked[name] for name in ("kind", "owner", "table", "service") if asked[name]})
    services = {service.name for service in shown.declared.services}
    environment = shown.run.environment
    made = {one.identity(): one for one in waivers if (one.environment.name if one.environment else "") == environment}
    rows = [
        Row(
            one,
            value_of(one),
            new=one.identity in shown.new,
            waiver=shown.waived.get(one),
            ended=None if one in shown.waived else made.get(one.identity),
            known=one.service in services,
        )
        for one in shown.result.findings
    ]
    rows = [
        row for row in rows if {"": True, "open": not row.waiver, "new": row.new, "waived": row.waiver}[asked["state"]]
    ]
    waived = [row for row in rows if row.waiver]
    open_rows = sorted((row for row in rows if not row.waiver), key=lambda row: not row.new)
    offers = shown.result.offers
    by_owner: dict[str, list[Row]] = defaultdict(list)
    for row in open_rows[:SHOWN]:
        by_owner[row.finding.owner or ""].append(row)
    past = runs.figures(shown.run)
    unchecked: dict[str, set[str]] = defaultdict(set)
    for one in shown.result.unchecked:
        unchecked[one.reason].add(one.service)
    return {
        "shown": shown,
        "run": shown.run,
        "share": share(shown.run),
        "open": len(open_rows),
        "more": max(0, len(open_rows) - SHOWN),
        "new": sum(row.new for row in open_rows),
        # Those that nobody answers for last.
        "owners": [
            (owner, sorted(rows, key=lambda row: (row.finding.kind, row.finding.table)))
            for owner, rows in sorted(by_owner.items(), key=lambda item: (not item[0], item[0]))
        ],
        "waived": waived[:SHOWN],
        "waived_in_all": len(waived),
        "offers": [Row(offer, value_of(offer)) for offer in offers[:SHOWN]],
        "offers_in_all": len(offers),
        "unchecked": [(reason, sorted(services)) for reason, services in sorted(unchecked.items())],
        "unresolved": shown.found.unresolved[:SHOWN],
        "notes": shown.found.notes[:SHOWN],
        "errors": shown.found.errors[:SHOWN],
        "plot": plot(past),
        "figures": past[::-1],
    }
