"""Which texts of the map the database indexes for search, and the condition that asks for a word in them."""

from django.db import models
from django.db.models import Q

from ownership.audit import text_index
from ownership.history.time_travel import looks_back
from ownership.models import Access, SecondaryIndex, Table

# Models with many rows. Services and groups are few, and searched without an index.
INDEXED_TEXTS: dict[type[models.Model], tuple[str, ...]] = {
    Table: ("name", "description"),
    SecondaryIndex: ("name",),
    Access: ("notes",),
}


def contains(model: type[models.Model], word: str, fields: tuple[str, ...] = ()) -> Q:
    """Return the condition that one of the row's texts contains the word, in upper or lower case.

    ``fields`` names the texts of a model that has no index.
    """
    # The index knows the texts of today only.
    if model in INDEXED_TEXTS and text_index.can_index(word) and not looks_back():
        return text_index.indexed(model, word)
    return text_index.contained(INDEXED_TEXTS.get(model, fields), word)
