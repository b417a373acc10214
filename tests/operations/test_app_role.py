"""PostgreSQL: a web server with the role of docs/operations.md works, and can't change history."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import IntegrityError, ProgrammingError, connection, transaction
from django.test import Client

from ownership.audit.verification import Verification
from ownership.history.append_only import append_only_tables, drop_triggers
from ownership.history.models import ChangeSet
from ownership.models import Table
from tests.support.admin_forms import open_form, save_form

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.postgres,  # SQLite has no roles
]
ROOT = Path(__file__).resolve().parents[2]
[BY_HAND] = re.findall(r"```sql\n(.*?)```", (ROOT / "docs/operations.md").read_text(), re.DOTALL)
COMPOSED = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["configs"]["roles"]["content"]


@pytest.fixture(params=[BY_HAND, COMPOSED], ids=["by hand", "compose"])
def roles(request, seeded) -> None:
    """The roles as the docs or docker-compose.yml create them, then `migrate`. Rolled back after the test."""
    statements = request.param.replace("${WEB_POSTGRES_PASSWORD}", "letters")
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(statements)
        call_command("migrate", verbosity=0)
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")


@contextmanager
def as_web() -> Iterator[None]:
    """Give the connection the permissions of the web server's role."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL ROLE registry_web")
        try:
            yield
        finally:
            cursor.execute("RESET ROLE")


def test_the_registry_works_with_that_role(roles, lead, client):
    table = Table.objects.get(name="biztechUsers")
    with as_web():
        assert client.login(username="lead", password="a long pass phrase")
        form = open_form(client, table) | {"description": "Edited."}
        assert save_form(client, table, form).status_code == 302
        assert client.get("/api/v1/map/").status_code == 200
        assert client.get("/readyz").status_code == 200
        table.refresh_from_db()
        table.delete()
        assert list(Verification().run()) == []
    assert ChangeSet.objects.get(revision=2).user_name == "lead"


CHANGES = {
    "update": "UPDATE {table} SET {column} = {column}",
    "delete": "DELETE FROM {table}",
    "truncate": "TRUNCATE {table} CASCADE",
    "drop": "DROP TABLE {table} CASCADE",
    "disable triggers": "ALTER TABLE {table} DISABLE TRIGGER ALL",
    "replica": "SET session_replication_role = replica",
    "grant itself": "GRANT ALL ON {table} TO registry_web",
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_that_role_can_not_change_history_even_without_triggers(roles, change):
    drop_triggers(connection)
    for table in append_only_tables():
        column = "revision" if table == ChangeSet._meta.db_table else "history_id"
        with as_web(), connection.cursor() as cursor:
            if change.startswith("GRANT"):
                # PostgreSQL warns and grants nothing.
                cursor.execute(change.format(table=table, column=column))
                cursor.execute("SELECT has_table_privilege(%s, 'UPDATE')", [table])
                assert cursor.fetchone() == (False,)
                continue
            with (
                pytest.raises(ProgrammingError, match="permission denied|must be owner"),
                transaction.atomic(),
            ):
                cursor.execute(change.format(table=table, column=column))


def test_someone_who_never_signed_in_can_sign_in_and_out_with_that_role(roles):
    User.objects.create_superuser("admin", password="a long pass phrase")
    client = Client()
    with as_web():
        assert client.login(username="admin", password="a long pass phrase")
        assert client.post("/admin/logout/").status_code == 302


def test_that_role_can_not_hide_the_last_revision_behind_a_temporary_table(roles):
    with as_web(), connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE ownership_changeset (revision bigint)")
        cursor.execute("INSERT INTO ownership_changeset VALUES (999)")
        with pytest.raises(IntegrityError, match="takes the next revision"), transaction.atomic():
            cursor.execute(
                "INSERT INTO public.ownership_changeset (revision, time, user_name, reason, source, request_id, digest)"
                " VALUES (1000, now(), 'mallory', 'A gap', 'admin', '', 'x')"
            )
