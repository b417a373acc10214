"""Parts of texts are found by the database's own index, which follows every write."""

import pytest
from django.core.management import call_command
from django.db import connection

from ownership.catalog.search_index import INDEXED_TEXTS, contains
from ownership.history.bulk import save_rows
from ownership.history.models import current_head
from ownership.history.time_travel import as_of
from ownership.models import Access, SecondaryIndex, Table
from tests.support.factories import make_access, make_service, make_table

pytestmark = pytest.mark.django_db


def found(model, word):
    return [str(row) for row in model.objects.filter(contains(model, word)).order_by("pk")]


def plan(model, word):
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")  # of few rows it would read all
    return model.objects.filter(contains(model, word)).order_by().explain()


@pytest.mark.parametrize("model", INDEXED_TEXTS)
def test_the_index_answers(model):
    means = {"postgresql": f"{model._meta.db_table}_text", "sqlite": "VIRTUAL TABLE INDEX"}
    assert means[connection.vendor] in plan(model, "users")


def test_it_follows_every_write():
    table = make_table("orders-of-old", description="Who bought what.")
    assert found(Table, "ORDERS") == found(Table, "bought") == ["orders-of-old"]
    table.name, table.description = "purchases", ""
    table.save()
    assert found(Table, "orders") == found(Table, "bought") == []
    assert found(Table, "chase") == ["purchases"]
    access = make_access(table, make_service("till"), notes="Rings the bell")
    assert found(Access, "the bell") == ["till → purchases"]
    table.delete()
    assert found(Table, "chase") == found(Access, "the bell") == []
    assert access.pk


def test_it_follows_rows_written_in_bulk():
    group, owner = make_table("one").group, make_service("owner")
    save_rows([Table(name=f"bulk-{n}", group=group, owner=owner, position=n) for n in range(3)])
    assert found(Table, "ulk-") == ["bulk-0", "bulk-1", "bulk-2"]


@pytest.mark.parametrize(
    "word", ['"', '""', "'", "a b", "*", "OR", 'x" OR "y', "^", "%", "_", "é", "\u202e", "-1"]
)
def test_an_ordinary_word_is_searched_as_it_is(word):
    make_table("plain", description="Nothing of that kind")
    make_table("odd", description=f"before{word}after")
    assert found(Table, f"ore{word}aft") == ["odd"]


def test_the_past_is_searched_by_texts_of_that_time():
    table = make_table("orders-of-old")
    was = current_head().revision
    table.name = "purchases"
    table.save()
    with as_of(was):
        assert found(Table, "orders") == ["orders-of-old"]
        assert found(Table, "purchases") == []


@pytest.mark.sqlite
def test_migrate_fills_an_index_whose_triggers_were_lost():
    with connection.cursor() as cursor:
        cursor.execute("DROP TRIGGER ownership_table_text_insert")
        make_table("unseen")
        assert found(Table, "unseen") == []
        call_command("migrate", verbosity=0)
        assert found(Table, "unseen") == ["unseen"]
        cursor.execute(
            "INSERT INTO ownership_table_text (ownership_table_text) VALUES ('integrity-check')"
        )
    assert SecondaryIndex.objects.count() == 0
