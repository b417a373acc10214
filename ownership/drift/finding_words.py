"""What kinds of findings are called and mean, for reports that stand alone: in a pull request, not beside docs."""

from collections.abc import Mapping
from typing import NamedTuple

from ownership.drift import verdicts
from ownership.drift.report import WHAT_TO_DO, difference
from ownership.drift.types import Finding, FindingKind, printable


class KindWords(NamedTuple):
    """A kind's title, its meaning as a sentence, and whether somebody may do, or fails to do, something unforeseen."""

    title: str
    meaning: str
    is_severe: bool


KINDS: Mapping[FindingKind, KindWords] = {
    "unregistered_table": KindWords(
        "Table is not on the map",
        "The infrastructure has or permits a table that is not on the map.",
        True,
    ),
    "table_not_deployed": KindWords(
        "Table is not deployed", "The map has a table that the infrastructure does not.", False
    ),
    "undeclared_access": KindWords(
        "Access is not declared", "A service may use a table, and the map declares no access.", True
    ),
    "access_not_granted": KindWords(
        "Access is not granted", "The map declares an access that nothing permits.", False
    ),
    "wider_grant": KindWords(
        "Grant is wider than declared",
        "A service may do more with a table than the map declares.",
        True,
    ),
    "narrower_grant": KindWords(
        "Grant is narrower than declared",
        "A service may do less with a table than the map declares.",
        False,
    ),
    "unused_declaration": KindWords(
        "Access is not used", "An access is declared and granted, and no code does it.", False
    ),
    "undeclared_use": KindWords(
        "Use is not declared",
        "Code uses a table, and the access is neither declared nor granted.",
        True,
    ),
    "action_not_granted": KindWords(
        "Action is not granted",
        "Code needs an action on a table that its role does not permit.",
        True,
    ),
    "key_schema_differs": KindWords(
        "Keys differ from the map",
        "The deployed key schema differs from the one on the map.",
        False,
    ),
    "index_differs": KindWords(
        "Indexes differ from the map",
        "The deployed indexes, or their keys, differ from the map.",
        False,
    ),
}


def title(finding: Finding) -> str:
    """The finding in a few words: "Access is not declared: payments, biztechEvents"."""
    return f"{KINDS[finding.kind].title}: {subject(finding)}"


def subject(finding: Finding) -> str:
    """What the finding is about: the service, if there is one, and the table."""
    if finding.service is None:
        return printable(finding.table)
    return f"{printable(finding.service)}, {printable(finding.table)}"


def message(finding: Finding) -> str:
    """The finding in sentences: what differs, what to do, and whom to ask."""
    differs = difference(finding) or KINDS[finding.kind].title.lower()
    sentences = [f"{subject(finding)}: {differs}.", what_to_do(finding)]
    if finding.to_allow:
        sentences.append(f"Allow {'; '.join(map(str, finding.to_allow))}.")
    if (
        finding.evidence and finding.evidence[0].line is None
    ):  # a live table, or a resource of a plan
        sentences.append(f"Found in {finding.evidence[0].file}.")
    if finding.owner is not None:
        sentences.append(f"The table's owner is {finding.owner}.")
    return printable(" ".join(sentences))


def what_to_do(finding: Finding) -> str:
    """By verdict where code tells which side is wrong, and otherwise by kind."""
    verdict = finding.verdict
    text = WHAT_TO_DO[finding.kind]
    if verdict is not None and verdict != "mixed":
        text = verdicts.WHAT_TO_DO[verdict]
    return f"{text[0].upper()}{text[1:]}."
