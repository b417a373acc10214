"""Seeds the registry: an import that only creates.

A row that the registry has, or once had under that name, is left alone. So seeding again changes nothing, and never
undoes a lead's edit.
"""

from pathlib import Path

from ownership.exchange.imports.formats import UnreadableFile, read
from ownership.exchange.imports.import_plan import plan_import
from ownership.history.models import ChangeSet

SEED_REASON = "Seeded from the table ownership map"


class SeedError(ValueError):
    """The file has mistakes; the message names each with its place, and nothing was written."""


def seed(path: Path) -> dict[str, int]:
    """Create what the file has and the registry never had; {plural name of a model: how many}.

    One change set, or none when nothing is new. Raises SeedError for a file with mistakes, NotApplied where the
    registry changed meanwhile; then nothing is written.
    """
    try:
        statements = read(path)
    except UnreadableFile as error:
        raise SeedError(str(error)) from error
    planned = plan_import(statements, create_only=True)
    if planned.problems:
        raise SeedError("\n".join(planned.problems))
    created: dict[str, int] = {}
    for step in planned.plan.steps:
        plural = str(step.model._meta.verbose_name_plural)
        created[plural] = created.get(plural, 0) + 1
    if created:
        reason = f"{SEED_REASON} ({path.name})"
        planned.plan.apply(user=None, reason=reason, source=ChangeSet.Source.SEED)
    return created
