"""Verification names what in the schema is missing, unknown or different; `migrate` mends triggers and functions."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from ownership.operations import schema
from ownership.operations.schema import schema_differences
from tests.support.factories import make_service, make_table
from tests.support.foreign_objects import UNKNOWN

pytestmark = pytest.mark.django_db

CHANGE_SET = "ownership_changeset"
POSTGRES = pytest.mark.postgres
SQLITE = pytest.mark.sqlite
ALLOW = (
    "CREATE OR REPLACE FUNCTION ownership_refuse_{name}() RETURNS trigger LANGUAGE plpgsql "
    "AS $_$ BEGIN RETURN NEW; END $_$"
)


def execute(*statements: str) -> None:
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for statement in statements:
            cursor.execute(statement)


def sqlite_trigger(name: str, body: str) -> tuple[str, str]:
    return f"DROP TRIGGER {name}", f"CREATE TRIGGER {name} {body}"


@pytest.mark.slow
def test_the_schema_that_migrations_make_has_no_differences():
    assert list(schema_differences()) == []


@pytest.mark.parametrize(
    "foreign", UNKNOWN[connection.vendor].values(), ids=UNKNOWN[connection.vendor]
)
def test_an_object_that_the_registry_does_not_make_is_named(foreign):
    execute(foreign.sql)
    assert f"{foreign.name}: unknown. The registry does not make it." in list(schema_differences())


# What migrate mends, by what was done to it.
MENDED = {
    "emptied body": pytest.param(
        sqlite_trigger(
            f"{CHANGE_SET}_no_update", f"BEFORE UPDATE ON {CHANGE_SET} BEGIN SELECT 1; END"
        ),
        f"trigger {CHANGE_SET}_no_update: differs",
        marks=SQLITE,
    ),
    "condition that never holds": pytest.param(
        sqlite_trigger(
            f"{CHANGE_SET}_no_delete",
            f"BEFORE DELETE ON {CHANGE_SET} WHEN 0 BEGIN SELECT RAISE(ABORT, 'no'); END",
        ),
        f"trigger {CHANGE_SET}_no_delete: differs",
        marks=SQLITE,
    ),
    "other event": pytest.param(
        sqlite_trigger(
            f"{CHANGE_SET}_next_revision",
            f"BEFORE DELETE ON {CHANGE_SET} BEGIN SELECT RAISE(ABORT, 'History is append-only'); END",
        ),
        f"trigger {CHANGE_SET}_next_revision: differs",
        marks=SQLITE,
    ),
    "search trigger": pytest.param(
        sqlite_trigger(
            "ownership_table_text_insert", "AFTER INSERT ON ownership_table BEGIN SELECT 1; END"
        ),
        "trigger ownership_table_text_insert: differs",
        marks=SQLITE,
    ),
    "missing": pytest.param(
        (f"DROP TRIGGER {CHANGE_SET}_no_update",),
        f"trigger {CHANGE_SET}_no_update: missing",
        marks=SQLITE,
    ),
    "emptied function": pytest.param(
        (ALLOW.format(name="history_change"),),
        "function ownership_refuse_history_change(): differs",
        marks=POSTGRES,
    ),
    "emptied function for the next revision": pytest.param(
        (ALLOW.format(name="other_than_next"),),
        "function ownership_refuse_other_than_next(): differs",
        marks=POSTGRES,
    ),
    "trigger switched off": pytest.param(
        (f"ALTER TABLE {CHANGE_SET} DISABLE TRIGGER append_only",),
        f"trigger {CHANGE_SET} append_only: differs",
        marks=POSTGRES,
    ),
    "other timing and event": pytest.param(
        (
            f"DROP TRIGGER append_only ON {CHANGE_SET}",
            f"CREATE TRIGGER append_only AFTER INSERT ON {CHANGE_SET} "
            "FOR EACH STATEMENT EXECUTE FUNCTION ownership_refuse_history_change()",
        ),
        f"trigger {CHANGE_SET} append_only: differs",
        marks=POSTGRES,
    ),
    "missing trigger": pytest.param(
        (f"DROP TRIGGER append_only ON {CHANGE_SET}",),
        f"trigger {CHANGE_SET} append_only: missing",
        marks=POSTGRES,
    ),
}


@pytest.mark.parametrize(("statements", "expected"), MENDED.values(), ids=MENDED)
def test_a_changed_guard_is_named_and_migrate_makes_it_again(statements, expected):
    execute(*statements)
    found = list(schema_differences())
    assert [difference for difference in found if difference.startswith(expected)], found
    call_command("migrate", verbosity=0)
    assert list(schema_differences()) == []


@pytest.mark.postgres
@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        (
            "ALTER TABLE ownership_service DISABLE TRIGGER ALL",
            "foreign keys of ownership_service: unknown",
        ),
        ("ALTER TABLE ownership_table DROP CONSTRAINT {}", "constraint ownership_table"),
        (
            "ALTER TABLE ownership_service ALTER description SET DEFAULT 'x'",
            "column ownership_service description",
        ),
        (
            "CREATE SCHEMA other; CREATE TABLE other.heir () INHERITS (ownership_service)",
            "heir of ownership_service",
        ),
    ],
    ids=["foreign keys off", "constraint gone", "default", "table that inherits"],
)
def test_a_weakened_table_is_named(statement, expected):
    if "DROP CONSTRAINT" in statement:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT conname FROM pg_constraint WHERE conrelid = 'ownership_table'::regclass AND contype = 'f'"
            )
            statement = statement.format(cursor.fetchone()[0])
    execute(statement)
    found = list(schema_differences())
    assert [difference for difference in found if difference.startswith(expected)], found


def test_verify_history_lists_them_and_fails():
    foreign = UNKNOWN[connection.vendor]["trigger"]
    execute(foreign.sql)
    out = StringIO()
    with pytest.raises(CommandError, match=r"1 finding\(s\)"):
        call_command("verify_history", stdout=out)
    assert foreign.name in out.getvalue()


@pytest.mark.postgres
def test_a_role_that_may_not_create_schemas_is_told_that_nothing_was_checked():
    execute("CREATE ROLE somebody NOLOGIN", "SET LOCAL ROLE somebody")
    schema._expected_on_postgresql.cache_clear()
    [finding] = schema_differences()
    execute("RESET ROLE")
    assert "could not be checked (permission denied" in finding
    assert "Run this as the owner of the database" in finding


@pytest.mark.sqlite
def test_a_mended_search_trigger_finds_what_was_written_meanwhile():
    execute(
        *sqlite_trigger(
            "ownership_table_text_insert", "AFTER INSERT ON ownership_table BEGIN SELECT 1; END"
        )
    )
    make_table("hidden-orders", owner=make_service("payments"))
    call_command("migrate", verbosity=0)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM ownership_table_text WHERE ownership_table_text MATCH 'hidden'"
        )
        assert cursor.fetchone() == (1,)
