"""What a reader of a table should know is odd about its entry."""

from ownership.models import Table


def hints(table: Table) -> list[str]:
    """Sentences on an owner without an access, and on notes that name another service as the owner."""
    found = []
    accesses = list(table.accesses.all())
    if not any(access.service_id == table.owner_id for access in accesses):
        found.append(f"The owner, {table.owner.name}, has no access of its own to this table.")
    for access in accesses:
        if access.notes.startswith("Owner.") and access.service_id != table.owner_id:
            found.append(
                f"The note of {access.service.name} begins with “Owner.”, but the owner is {table.owner.name}."
            )
    return found
