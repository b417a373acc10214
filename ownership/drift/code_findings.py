"""Which side of a finding is wrong, and the findings that only code shows.

What is granted and in code belongs on the map; what is declared and in code, IAM lacks; what is granted alone, IAM
grants too much; what is declared alone, nobody does. Where both the map and IAM are wrong, the map comes first.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from ownership.drift.code_side import ALL_MODES, CodeSide, Modes
from ownership.drift.iam.actions import mode_of
from ownership.drift.iam.patterns import matches
from ownership.drift.types import (
    ActionOn,
    Finding,
    FindingKind,
    GrantedAccess,
    NeededAction,
    ReadOrWrite,
    Verdict,
    combined_mode,
)

if TYPE_CHECKING:
    from ownership.drift.compare import AccessPair

VerdictOf = Callable[[ReadOrWrite], Verdict | None]
EXCESS: tuple[FindingKind, ...] = ("unregistered_table", "undeclared_access", "wider_grant")


def findings_with_code(
    pair: "AccessPair", code: CodeSide, findings: Iterable[Finding]
) -> Iterator[Finding]:
    """The pair's findings about declared and granted with their verdicts, and those that only code shows."""
    judge = _Judge(pair, code)
    undeclared_use = judge.undeclared_use
    for finding in findings:
        if finding.kind == "unregistered_table":
            # What code does with a table that is not on the map is a part of the finding that it is not there.
            yield judge.unregistered(finding, undeclared_use)
            undeclared_use = frozenset()
        elif finding.kind in EXCESS:
            yield judge.judged(finding, judge.own_code, judge.verdict_of_undeclared)
        else:
            yield judge.missing(finding)
    if undeclared_use and pair.is_registered:
        yield judge.used_undeclared("undeclared_use")
    elif undeclared_use:
        yield judge.unregistered(judge.used_undeclared("unregistered_table"), undeclared_use)
    if judge.unused:
        yield judge.declared_and_unused()
    if judge.refused:
        yield judge.with_refused_actions()


class _Judge:
    """What one pair's code says of its findings."""

    def __init__(self, pair: "AccessPair", code: CodeSide) -> None:
        self.pair, self.code = pair, code
        self.own_code = code.own_only(pair.service)
        # In code, and neither declared nor granted to the service itself.
        self.undeclared_use: Modes = code.own - pair.justified - pair.granted
        # Declared and granted, and in no code.
        self.unused: Modes = (pair.declared & pair.effective) - code.effective - code.unknown
        self.refused = self._refused_actions()

    # Verdicts

    def verdict_of_undeclared(self, mode: ReadOrWrite) -> Verdict | None:
        """Of a mode that is not declared."""
        if mode in self.code.own:
            return "fix_map"
        return None if mode in self.code.unknown_with_parts else "trim_iam"

    def verdict_of_missing(self, mode: ReadOrWrite) -> Verdict | None:
        """Of a mode that is declared and not granted."""
        if mode in self.code.effective:
            return "fix_iam"
        return None if mode in self.code.unknown else "remove_from_map"

    # Findings

    def judged(self, finding: Finding, code: CodeSide, verdict_of: VerdictOf) -> Finding:
        """The finding with what the code says of its modes."""
        modes = frozenset(mode for mode, _ in finding.verdicts)
        verdicts = tuple((mode, verdict_of(mode)) for mode in sorted(modes))
        unneeded = [
            mode for mode, verdict in verdicts if verdict in ("trim_iam", "remove_from_map")
        ]
        return replace(
            finding,
            in_code=code.in_code(modes),
            code_evidence=code.evidence(first=modes),
            code_paths=code.indirect_paths(modes),
            verdicts=verdicts,
            to_remove=self._permitted_to_itself(unneeded),
        )

    def missing(self, finding: Finding) -> Finding:
        """What is declared and not granted."""
        finding = self.judged(finding, self.code, self.verdict_of_missing)
        return replace(finding, to_allow=self.code.needed(finding.modes_with("fix_iam")))

    def unregistered(self, finding: Finding, also_used: Modes) -> Finding:
        """A table that is not on the map, and that code uses also without a grant."""
        verdicts = dict(finding.verdicts) | dict.fromkeys(also_used)
        finding = replace(finding, verdicts=tuple(verdicts.items()))
        finding = self.judged(finding, self.own_code, self.verdict_of_undeclared)
        return replace(finding, to_allow=self._not_granted(also_used))

    def used_undeclared(self, kind: FindingKind) -> Finding:
        """In code, and neither declared nor granted to the service itself."""
        finding = self._new(kind, self.undeclared_use, declared=self.pair.justified)
        finding = self.judged(finding, self.own_code, self.verdict_of_undeclared)
        return replace(finding, to_allow=self._not_granted(self.undeclared_use))

    def declared_and_unused(self) -> Finding:
        """Declared and granted, and in no code."""
        finding = self._new("unused_declaration", self.unused, declared=self.pair.declared)
        return self.judged(finding, self.code, lambda mode: "remove_from_map")

    def with_refused_actions(self) -> Finding:
        """In code and granted, although not with this action or on this index."""
        modes = frozenset(mode_of(needed.action.action) for needed in self.refused)
        finding = self._new("action_not_granted", modes, declared=self.pair.declared)
        code = self.own_code.only({needed.action for needed in self.refused})
        finding = self.judged(finding, code, lambda mode: "fix_iam")
        return replace(finding, to_allow=self.refused)

    def _new(self, kind: FindingKind, modes: Modes, declared: Modes) -> Finding:
        pair = self.pair
        return Finding(
            kind,
            pair.table,
            pair.service,
            declared=combined_mode(declared),
            granted=combined_mode(pair.effective),
            owner=pair.owner,
            evidence=pair.evidence or pair.deployed_at,
            verdicts=tuple((mode, None) for mode in modes),
        )

    # Actions

    def _not_granted(self, modes: Modes) -> tuple[NeededAction, ...]:
        """What the service's own code needs for those of the modes that are granted by nothing."""
        return self.own_code.needed(modes - self.pair.effective - self.pair.may_be_granted)

    def _refused_actions(self) -> tuple[NeededAction, ...]:
        """What the service's own code needs of modes that are granted, and these grants do not permit."""
        permitted: set[ActionOn] = set()
        known = ALL_MODES - self.pair.may_be_granted
        for grant in self.pair.grants:
            if grant in self.pair.actions:
                permitted |= self.pair.actions[grant]
            else:
                known -= {grant.mode}
        refused = []
        for needed in self.own_code.needed(self.code.own & self.pair.effective & known):
            if not _permits(permitted, needed.action):
                refused.append(needed)
        return tuple(refused)

    def _permitted_to_itself(self, modes: Iterable[ReadOrWrite]) -> tuple[ActionOn, ...]:
        """The actions that grants to the service itself permit for these modes."""
        actions: set[ActionOn] = set()
        for mode in modes:
            grant = GrantedAccess(self.pair.service, self.pair.table, mode)
            actions |= self.pair.actions.get(grant, frozenset())
        return tuple(sorted(actions))


def _permits(permitted: Iterable[ActionOn], needed: ActionOn) -> bool:
    """Whether one of the permitted actions is the needed one, on that index or on the table itself."""
    for action in permitted:
        is_same_kind = bool(action.index) == bool(needed.index)
        if action.action == needed.action and is_same_kind and matches(action.index, needed.index):
            return True
    return False
