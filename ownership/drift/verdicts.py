"""What verdicts are called, and what people do about each."""

from collections.abc import Iterable

from ownership.drift.types import Finding, Verdict

NOT_KNOWN = "not_known"  # what an unknown verdict is called as a filter and as a key
ABOUT_TABLES = "about_tables"  # findings about a table itself, which have no verdict

# In the order in which pages and reports list them.
TITLES: dict[str, str] = {
    "fix_map": "The map is wrong",
    "fix_iam": "IAM lacks",
    "trim_iam": "IAM grants too much",
    "remove_from_map": "Nobody does this",
    "mixed": "Differs by mode",
    NOT_KNOWN: "Not known",
    ABOUT_TABLES: "Keys, indexes and tables",
}
WHAT_TO_DO: dict[str, str] = {
    "fix_map": "declare it: code does it",
    "fix_iam": "grant it: code does it and is denied",
    "trim_iam": "remove the grant: no code uses it",
    "remove_from_map": "remove it from the map: no code does it",
    "mixed": "read and write have different verdicts",
    NOT_KNOWN: "the code was not read, or a part of it is unresolved",
    ABOUT_TABLES: "compare the table with its entry on the map",
}
LABELS: dict[Verdict, str] = {
    "fix_map": "fix the map",
    "fix_iam": "fix IAM",
    "trim_iam": "trim IAM",
    "remove_from_map": "remove from the map",
    "mixed": "mixed",
}
CHANGES_THE_MAP: tuple[Verdict, ...] = ("fix_map", "remove_from_map")


def group_of(finding: Finding) -> str:
    """The key of ``TITLES`` that the finding is listed under."""
    if not finding.verdicts:
        return ABOUT_TABLES
    return finding.verdict or NOT_KNOWN


def grouped(findings: Iterable[Finding]) -> dict[str, list[Finding]]:
    """The findings by group, in the order of ``TITLES``; without empty groups."""
    groups: dict[str, list[Finding]] = {name: [] for name in TITLES}
    for finding in findings:
        groups[group_of(finding)].append(finding)
    return {name: of_group for name, of_group in groups.items() if of_group}
