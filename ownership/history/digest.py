"""The digest chain over change sets and their entries."""

import hashlib
import json
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder

from ownership.history.models import ChangeSet


def entry_content(entry: Any) -> dict[str, Any]:
    """All that an entry says, as the digest covers it.

    Not its typed columns: a field added or dropped later would change the digest of all that went before.
    What they hold stands in ``changes``; verification compares the two.
    """
    names = ("id", "history_type", "change_set_id", "sequence", "label", "changes", "gained_by", "lost_by")
    return {name: getattr(entry, name) for name in names} | {"model": entry.instance_type._meta.model_name}


def chain_digest(previous: str, change: ChangeSet, entries: list[dict[str, Any]]) -> str:
    """SHA-256 in hex over the digest before, the change set's fields and its entries in order.

    Times count in UTC with microseconds, which both databases keep; JSON with sorted keys is the form.
    """
    content = {
        "previous": previous,
        "revision": change.revision,
        "time": change.time.isoformat(timespec="microseconds"),
        "user_id": change.user_id,
        "user_name": change.user_name,
        "reason": change.reason,
        "source": str(change.source),
        "undoes": change.undoes_id,
        "request_id": change.request_id,
        "entries": entries,
    }
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"), cls=DjangoJSONEncoder)
    return hashlib.sha256(text.encode()).hexdigest()
