"""All that ``verify_history`` checks: the schema, what set-up made, the history."""

from collections.abc import Iterator

from ownership.audit.text_index import stale_text_indexes
from ownership.audit.verification import Verification
from ownership.history.lock import is_lock_row_missing
from ownership.operations.schema import schema_differences
from ownership.operations.setup import indexed_texts


def all_findings(verification: Verification) -> Iterator[str]:
    """What is wrong, in sentences; nothing if the registry made it all. Writes nothing."""
    yield from schema_differences()
    if is_lock_row_missing():
        yield "The row that every write locks is missing. `manage.py migrate` makes it again."
    yield from stale_text_indexes(indexed_texts())
    # Last: a row that PostgreSQL can't read ends the transaction.
    for inconsistency in verification.run():
        yield str(inconsistency)
