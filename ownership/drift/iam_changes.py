"""What the owners of IAM are to change: as a list, and as a snippet in the form of a patch of serverless.yml."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from ownership.drift.physical_names import NamePattern
from ownership.drift.types import ActionOn, DeclaredMap, Finding, Location, NeededAction, label_of

# The reader whose services each have a serverless.yml. Templates and plans have no such file to patch.
SNIPPETS_FOR = "serverless"
NAMES_HINT = "# Tables have their base names: write them as your other statements do."
ARN = "arn:aws:dynamodb:${aws:region}:${aws:accountId}:table"
PLACES_SHOWN = 3


@dataclass(frozen=True)
class IamChange:
    """What is asked of a service's roles: to permit actions on a table, or to stop permitting them."""

    service: str
    table: str
    to_allow: tuple[NeededAction, ...]
    to_remove: tuple[ActionOn, ...]
    granted: str | None  # names what to remove where the actions are not known
    granted_at: tuple[Location, ...]
    code_at: tuple[Location, ...]

    @property
    def functions(self) -> tuple[str, ...]:
        """The functions whose roles lack something."""
        names: set[str] = set()
        for needed in self.to_allow:
            names.update(needed.functions)
        return tuple(sorted(names))

    def merged_with(self, other: "IamChange") -> "IamChange":
        """Both changes to the same service and table as one."""
        return replace(
            self,
            to_allow=tuple(dict.fromkeys(self.to_allow + other.to_allow)),
            to_remove=tuple(sorted({*self.to_remove, *other.to_remove})),
            granted_at=tuple(dict.fromkeys(self.granted_at + other.granted_at)),
            code_at=tuple(dict.fromkeys(self.code_at + other.code_at)),
        )

    def __str__(self) -> str:
        """The change in words, with its places."""
        if self.to_allow:
            actions = ", ".join(str(needed.action) for needed in self.to_allow)
            functions = ", ".join(self.functions)
            return (
                f"{self.table}: allow {actions} in the role of {functions}{_places(self.code_at)}"
            )
        actions = ", ".join(map(str, self.to_remove)) or label_of(self.granted)
        return f"{self.table}: remove {actions}{_places(self.granted_at)}"


def iam_changes(findings: Iterable[Finding]) -> dict[str, list[IamChange]]:
    """The changes by service, for those of the findings by which IAM lacks something or grants too much."""
    merged: dict[tuple[str, str, bool], IamChange] = {}
    for finding in findings:
        for change in _changes(finding):
            key = (change.service, change.table, bool(change.to_allow))
            merged[key] = merged[key].merged_with(change) if key in merged else change
    by_service: dict[str, list[IamChange]] = {}
    for (service, _, _), change in sorted(merged.items(), key=lambda item: item[0]):
        by_service.setdefault(service, []).append(change)
    return by_service


def _changes(finding: Finding) -> Iterator[IamChange]:
    """What one finding asks for: to allow actions, and to remove some."""
    # Code may run in a service that the finding's is part of: then the role is that one's.
    needed_by: dict[str, list[NeededAction]] = {}
    for needed in finding.to_allow:
        needed_by.setdefault(needed.service, []).append(needed)
    for service, of_service in needed_by.items():
        yield IamChange(
            service, finding.table, tuple(of_service), (), None, (), finding.code_evidence
        )
    if finding.service and (finding.to_remove or finding.modes_with("trim_iam")):
        yield IamChange(
            finding.service,
            finding.table,
            (),
            finding.to_remove,
            finding.granted,
            finding.evidence,
            (),
        )


def as_list(changes: dict[str, list[IamChange]]) -> list[str]:
    """The changes as lines: each service, and below it what to allow and to remove."""
    lines = []
    for service, of_service in changes.items():
        lines.append(service)
        lines.extend(f"  {change}" for change in of_service)
    return lines


def snippet(
    service: str, changes: Iterable[IamChange], declared: DeclaredMap, environment: str | None
) -> str:
    """The changes of a service as a patch of its serverless.yml shows them: ``+`` to add, ``-`` to take out.

    Tables have their physical names in the environment. Without one, they have their base names.
    """
    names = declared.environments.get(environment or "", NamePattern())
    lines = [f"# {service}/serverless.yml"]
    if names.length == 0 and any(pattern.length for pattern in declared.environments.values()):
        lines.append(NAMES_HINT)
    lines += [" provider:", "   iam:", "     role:", "       statements:"]
    for change in changes:
        table = names.physical(change.table)
        if change.to_allow:
            actions = [needed.action for needed in change.to_allow]
            reason = f"{', '.join(change.functions)}{_places(change.code_at)}"
            lines += _statement("+", reason, table, actions)
        else:
            reason = f"no code uses this{_places(change.granted_at)}"
            lines += _statement("-", reason, table, change.to_remove)
    return "\n".join(lines) + "\n"


def _statement(sign: str, reason: str, table: str, actions: Iterable[ActionOn]) -> list[str]:
    """A statement for the actions on the table, and one for those on each index."""
    by_resource: dict[str, list[str]] = {}
    for action in actions:
        index = f"/index/{action.index}" if action.index else ""
        by_resource.setdefault(f"{ARN}/{table}{index}", []).append(action.action)
    lines = [f"# {reason}"]
    if not by_resource:
        lines.append(f"# the grants on {table}")
    for resource, names in by_resource.items():
        lines += ["- Effect: Allow", "  Action:"]
        lines += [f"    - dynamodb:{name}" for name in names]
        lines.append(f"  Resource: {resource}")
    return [f"{sign}        {line}" for line in lines]


def _places(locations: tuple[Location, ...]) -> str:
    if not locations:
        return ""
    places = ", ".join(map(str, locations[:PLACES_SHOWN]))
    return f" ({places})"
