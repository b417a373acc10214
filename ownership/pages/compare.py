"""The comparison of two revisions or days, of the whole map, one table or one service; also as CSV."""

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from django.db.models import Model
from django.http import HttpRequest, HttpResponseRedirect

from ownership.audit import feed
from ownership.audit.comparison import Difference, compare_revisions
from ownership.audit.descriptions import FieldChange, fit_one_line, label_in_words, stated_changes
from ownership.audit.timeline import Timeline
from ownership.exchange.exports import history_to_csv
from ownership.history import time_travel
from ownership.history.models import (
    CREATED,
    DELETED,
    VERBS,
    ChangeSet,
    Selection,
    any_of,
    both_of,
    current_head,
)
from ownership.models import Service, Table
from ownership.pages.base import BadAddress, Context, Page, revision_at
from ownership.pages.changes import asks_for_csv, csv_file

# Rows that a page shows; the file has all of them.
MAX_SHOWN = 1_000
SIGNS = {CREATED: "+", DELETED: "−"}
SIDES = ("from", "to")


@dataclass(frozen=True)
class Line:
    """One row that differs, in words."""

    sign: str
    kind: str
    label: str
    verb: str
    changes: list[FieldChange]

    def is_short(self) -> bool:
        """Whether all values fit in one line."""
        return fit_one_line(self.changes)


@dataclass
class ComparedTable:
    """A table with the lines about it and what belongs to it; without a name, what belongs to no table."""

    name: str
    sign: str = "~"
    lines: list[Line] = field(default_factory=list)


@dataclass(frozen=True)
class Side:
    """One of the two states: what the address says, the revision that it means, and its change set."""

    text: str
    revision: int
    change_set: ChangeSet | None

    @property
    def is_day(self) -> bool:
        """Whether the address names a day or time rather than a revision."""
        return bool(self.text) and not self.text.isdigit()

    @property
    def is_future(self) -> bool:
        """Whether the address names a time that has not come yet; the revision is the latest then."""
        return self.is_day and time_travel.is_future(self.text)


class ComparePage(Page):
    """What differs between `?from=` and `?to=`, each a revision, a day or a time; without `to`, now."""

    template_name = "ownership/compare.html"
    needs_role = True
    shows_past = False
    sides: tuple[Side, Side]

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Return the page or the file.

        The form's fields for days, and two states the wrong way round, lead to the address that can be shared.
        """
        is_file = asks_for_csv(request)
        if any(request.GET.get(f"{side}_day") for side in SIDES):
            return HttpResponseRedirect(f"?{urlencode(_shared_address(request))}")
        before, after = self.sides = self._sides()
        if before.revision > after.revision:
            return HttpResponseRedirect(f"?{urlencode(self._swapped_address())}")
        if is_file:
            differences = compare_revisions(before.revision, after.revision, _about(request))
            name = f"compare-{before.revision}-{after.revision}.csv"
            return csv_file(history_to_csv.comparison(differences), name)
        return super().get(request, *args, **kwargs)

    def _sides(self) -> tuple[Side, Side]:
        """Return the two states, as they are asked for: the first may be the later one."""
        head = current_head().revision
        start = self.request.GET.get("from", "").strip()
        end = self.request.GET.get("to", "").strip()
        after = revision_at(time_travel.at, "to", end) if end else head
        before = revision_at(time_travel.at, "from", start) if start else max(after - 1, 0)
        change_sets = ChangeSet.objects.in_bulk([before, after])
        return Side(start, before, change_sets.get(before)), Side(
            end, after, change_sets.get(after)
        )

    def _swapped_address(self) -> dict[str, str]:
        """Return the parameters with the earlier state first."""
        before, after = self.sides
        parameters = self.request.GET.dict()
        return parameters | {
            "from": after.text or str(after.revision),
            "to": before.text or str(before.revision),
        }

    def get_context_data(self, **kwargs: Any) -> Context:
        """Return the context: both states, and what differs, by table."""
        before, after = self.sides
        differences = compare_revisions(before.revision, after.revision, _about(self.request))
        subject = {name: self.request.GET.get(name, "").strip() for name in ("table", "service")}
        return super().get_context_data(**kwargs) | {
            "sides": self.sides,
            "before": before,
            "after": after,
            "head": current_head().revision,
            "previous": (before.revision - 1, after.revision - 1),
            "following": (before.revision + 1, after.revision + 1),
            "subject": {name: value for name, value in subject.items() if value},
            "total": len(differences),
            "tables": _by_table(differences[:MAX_SHOWN]),
            "left_out": max(0, len(differences) - MAX_SHOWN),
        }


def _shared_address(request: HttpRequest) -> dict[str, str]:
    """Return the parameters with days in the place of revisions where the form's fields for days are filled in."""
    parameters = {}
    for side in SIDES:
        value = request.GET.get(f"{side}_day") or request.GET.get(side)
        if value:
            parameters[side] = value
    for name in ("table", "service"):
        if request.GET.get(name):
            parameters[name] = request.GET[name]
    return parameters


def _about(request: HttpRequest) -> Selection | None:
    """Return which entries are about the table or service asked for; None for the whole map."""
    selection: Selection | None = None
    named: dict[str, type[Model]] = {"table": Table, "service": Service}
    for parameter, model in named.items():
        name = request.GET.get(parameter, "").strip()
        if not name:
            continue
        pk = feed.id_named(model, name)
        if pk is None:
            raise BadAddress(f"No {model._meta.verbose_name} has, or ever had, the name “{name}”.")
        of_one = any_of(Timeline.about(model, pk).filters)
        selection = of_one if selection is None else both_of(selection, of_one)
    return selection


def _by_table(differences: list[Difference]) -> list[ComparedTable]:
    """Return the differences by table, in the order of names; last what belongs to none."""
    tables: dict[int | None, ComparedTable] = {}
    for difference in differences:
        table = tables.setdefault(difference.table_id, ComparedTable(difference.table))
        sign = SIGNS.get(difference.type, "~")
        if difference.model is Table:
            table.name = difference.table
            table.sign = sign
        table.lines.append(
            Line(
                sign=sign,
                kind=str(difference.model._meta.verbose_name),
                label=label_in_words(difference.model, difference.label),
                verb=VERBS[difference.type],
                changes=stated_changes(difference.model, difference.type, difference.changes),
            )
        )
    for table in tables.values():
        # The table itself comes before what belongs to it.
        table.lines.sort(key=lambda line: line.kind != Table._meta.verbose_name)
    return sorted(tables.values(), key=lambda table: (not table.name, table.name.lower()))
