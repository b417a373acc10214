"""Warnings for a reader: what is odd about a table as the map describes it."""

from ownership.models import Table


def warnings(table: Table) -> list[str]:
    """Return sentences about an owner without access, and about notes that name another service as the owner."""
    owner = table.owner
    accesses = list(table.accesses.all())
    sentences = []
    if owner.pk not in [access.service_id for access in accesses]:
        sentences.append(f"The owner, {owner.name}, has no access of its own to this table.")
    for access in accesses:
        if access.notes.startswith("Owner.") and access.service_id != owner.pk:
            sentences.append(
                f"The note on {access.service.name}’s access begins with “Owner.”, but the owner is {owner.name}."
            )
    return sentences
