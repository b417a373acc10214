"""A backup holds one moment, even while people write; a restore happens completely, or changes nothing."""

import gzip
import io
import shutil
import stat
import threading
import zlib
from pathlib import Path
from random import Random

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection
from django.db.migrations.recorder import MigrationRecorder

from ownership.audit.verification import Verification, unchanging_view
from ownership.history.append_only import drop_triggers
from ownership.history.change_sets import change_set
from ownership.history.models import ChangeSet
from ownership.models import Service
from ownership.operations.backup import BackupError, backup
from ownership.operations.backup_content import QUOTED
from ownership.operations.restore import restore
from ownership.operations.schema import schema_differences, schema_objects
from tests.support.factories import make_access, make_service, make_table
from tests.support.foreign_objects import COLUMN, UNKNOWN, ForeignObject
from tests.support.release import RELEASES
from tests.support.rows import all_rows

pytestmark = [
    pytest.mark.usefixtures("committed"),
    pytest.mark.skipif(
        connection.vendor == "postgresql" and shutil.which("pg_dump") is None,
        reason="pg_dump is not installed",
    ),
]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The path of a backup that does not exist yet."""
    return tmp_path / "registry.backup"


@pytest.fixture
def packed() -> bytes:
    """A backup of a table with an owner and an access."""
    make_access(make_table("orders", owner=make_service("payments")))
    return take_backup()


def take_backup() -> bytes:
    out = io.BytesIO()
    backup(out)
    return out.getvalue()


def restore_backup(packed: bytes) -> None:
    restore(io.BytesIO(packed))


def assert_append_only() -> None:
    with pytest.raises(DatabaseError, match="append-only"), connection.cursor() as cursor:
        cursor.execute("UPDATE ownership_changeset SET reason = 'Another'")


def repacked(packed: bytes, change) -> bytes:
    """The backup with changed content and the right checksum for it."""
    return gzip.compress(change(gzip.decompress(packed)))


@pytest.mark.slow
def test_a_restore_brings_back_every_row_of_every_table_and_the_registry_keeps_working(file, lead):
    with change_set(user=lead, reason="As it was"):
        make_access(
            make_table(
                "orders",
                owner=make_service("payments"),
                description="€ → \\N \t 'quotes' %s\nlines",
            )
        )
    before = all_rows()
    call_command("backup", str(file))
    make_service("later")
    lead.delete()

    call_command("restore", str(file), yes=True)

    assert all_rows() == before
    make_service("after")
    assert ChangeSet.objects.latest("revision").revision == len(before["ownership_changeset"]) + 1
    assert list(Verification().run()) == []
    assert_append_only()


@pytest.mark.slow
def test_each_backup_taken_while_others_write_holds_one_moment():
    stop = threading.Event()

    def write() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            with change_set(reason=f"Meanwhile, {number}"):
                make_access(make_table(owner=make_service()))
        connection.close()

    writer = threading.Thread(target=write)
    writer.start()
    backups = []
    try:
        while len(backups) < 3:
            with unchanging_view():
                rows = all_rows()
                backups.append((take_backup(), rows))
    finally:
        stop.set()
        writer.join()
    for packed, rows in backups:
        restore_backup(packed)
        assert all_rows() == rows


def test_only_the_account_that_made_the_file_can_read_it_and_no_file_is_overwritten(file):
    call_command("backup", str(file))
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert list(file.parent.iterdir()) == [file]
    content = file.read_bytes()
    with pytest.raises(CommandError, match="already exists. Choose another name"):
        call_command("backup", str(file))
    assert file.read_bytes() == content


def test_a_database_that_is_not_empty_is_replaced_only_with_yes(file, packed):
    file.write_bytes(packed)
    make_service("precious")
    before = all_rows()
    with pytest.raises(CommandError, match=r"Nothing was changed.*add --yes"):
        call_command("restore", str(file))
    assert all_rows() == before


def test_restoring_a_file_that_does_not_exist_changes_nothing(file):
    with pytest.raises(CommandError, match=r"Nothing was changed.*No such file"):
        call_command("restore", str(file), yes=True)


OTHER_KIND = {"sqlite": b"PGDMP" + bytes(100), "postgresql": b"SQLite format 3\x00" + bytes(100)}
BROKEN = {
    "empty": (lambda packed: b"", "not a backup"),
    "cut off": (lambda packed: packed[: len(packed) // 2], "damaged"),
    "last byte missing": (lambda packed: packed[:-1], "damaged"),
    "not gzipped": (gzip.decompress, "damaged or not a backup"),
    "something else": (lambda packed: gzip.compress(b"Dear all"), "not a backup"),
    "other database": (
        lambda packed: gzip.compress(OTHER_KIND[connection.vendor]),
        "DATABASE_URL names a",
    ),
    "content cut off": (
        lambda packed: repacked(packed, lambda content: content[: len(content) * 2 // 3]),
        "damaged|malformed|restore",
    ),
    "content changed": (
        lambda packed: repacked(
            packed, lambda content: content.replace(b"payments", b"paymentz", 1)
        ),
        "does not verify|malformed|damaged",
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize(("broken", "message"), BROKEN.values(), ids=BROKEN)
def test_a_broken_file_is_refused_and_changes_nothing(packed, broken, message):
    make_service("precious")
    before = all_rows()
    schema = schema_objects(connection)
    with pytest.raises(BackupError, match=message):
        restore_backup(broken(packed))
    assert all_rows() == before
    assert schema_objects(connection) == schema
    make_service("goes-on")


@pytest.mark.slow
def test_a_file_with_any_bit_flipped_is_refused(packed):
    before, random = all_rows(), Random(7)
    content = gzip.decompress(packed)
    for _ in range(200):
        position = random.randrange(
            10, len(packed)
        )  # the first ten bytes are gzip's header, without content
        flipped = bytearray(packed)
        flipped[position] ^= 1 << random.randrange(8)
        try:
            # One of gzip's unused bits: the content is what it was.
            assert gzip.decompress(flipped) == content
        except (OSError, EOFError, zlib.error):
            with pytest.raises(BackupError):
                restore_backup(bytes(flipped))
    assert all_rows() == before


def test_a_backup_from_a_newer_version_is_refused(packed):
    MigrationRecorder(connection).record_applied("ownership", "0099_from_the_future")
    newer = take_backup()
    MigrationRecorder(connection).record_unapplied("ownership", "0099_from_the_future")
    before = all_rows()
    with pytest.raises(BackupError, match=r"newer version.*ownership\.0099_from_the_future"):
        restore_backup(newer)
    assert all_rows() == before


@pytest.mark.slow
def test_a_backup_whose_history_was_tampered_with_is_refused():
    service = make_service("payments")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE ownership_service SET description = 'Tampered'")
    tampered = take_backup()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE ownership_service SET description = ''")
    with pytest.raises(BackupError, match="does not verify: service payments"):
        restore_backup(tampered)
    assert Service.objects.get() == service


@pytest.mark.slow
def test_an_older_backup_gets_the_triggers_that_were_added_later(packed):
    drop_triggers(connection)
    older = take_backup()
    restore_backup(older)
    assert_append_only()


@pytest.mark.slow
def test_a_backup_of_before_migrations_were_squashed_is_restored(packed):
    applied = MigrationRecorder(connection).applied_migrations()
    for name, migration in applied.items():
        if "_squashed_" in migration.name:
            MigrationRecorder(connection).record_unapplied(*name)
    older = take_backup()
    restore_backup(older)
    assert MigrationRecorder(connection).applied_migrations().keys() == applied.keys()
    assert Service.objects.filter(name="payments").exists()


@pytest.mark.slow
def test_a_backup_of_a_database_that_was_migrated_backwards_is_restored(packed):
    call_command("migrate", "ownership", "0013_suggestions_in_part", verbosity=0)
    older = take_backup()
    call_command("migrate", verbosity=0)
    latest = MigrationRecorder(connection).applied_migrations()
    restore_backup(older)
    assert MigrationRecorder(connection).applied_migrations().keys() == latest.keys()
    assert list(schema_differences()) == []


@pytest.mark.slow
@pytest.mark.sqlite  # its backups are files like that of the release, packed
def test_a_database_of_the_first_release_is_restored_as_a_backup():
    restore_backup((RELEASES / "0.1.0.sqlite3.gz").read_bytes())
    assert ChangeSet.objects.count() > 1
    assert list(schema_differences()) == []


# A backup from a stranger


def execute(*statements: str) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


FOREIGN = list(UNKNOWN[connection.vendor].values())
# A column is refused before anything else is looked at. Of the others, as many as a message quotes are refused at once.
FOREIGN_GROUPS = [[COLUMN]]
FOREIGN.remove(COLUMN)
for start in range(0, len(FOREIGN), QUOTED):
    FOREIGN_GROUPS.append(FOREIGN[start : start + QUOTED])


def name_in_backup(foreign: ForeignObject) -> str:
    """As the message has it: pg_restore's list calls a type a domain, and an operator by its sign alone."""
    return foreign.name.replace("type", "domain").partition("(pg_catalog")[0]


@pytest.mark.slow
@pytest.mark.parametrize(
    "group", FOREIGN_GROUPS, ids=lambda group: ", ".join(foreign.name for foreign in group)
)
def test_a_backup_with_objects_that_the_registry_does_not_make_is_refused_with_their_names(
    packed, group
):
    execute(*(foreign.sql for foreign in group))
    try:
        with_objects = take_backup()
    finally:
        execute(*(foreign.undo for foreign in group))
    before = all_rows()
    with pytest.raises(BackupError) as error:
        restore_backup(with_objects)
    names = sorted(name_in_backup(foreign) for foreign in group)
    assert f"what the registry does not make: {', '.join(names)}." in str(error.value)
    assert all_rows() == before
    assert list(schema_differences()) == []


def with_sql(packed: bytes, statement: str) -> bytes:
    """The dump with this SQL in place of its first function. The file keeps its length."""
    content = gzip.decompress(packed)
    start = content.index(b"CREATE FUNCTION")
    end = content.index(b"$$;", start) + 3
    text = statement.encode().ljust(end - start - 2) + b"--"
    assert len(text) == end - start
    return gzip.compress(content[:start] + text + content[end:])


@pytest.mark.slow
@pytest.mark.postgres
def test_sql_in_a_dump_is_not_executed_before_or_after_verification(packed):
    before = all_rows()
    restore_backup(
        with_sql(packed, "COMMIT; UPDATE ownership_service SET description = 'owned'; BEGIN;")
    )
    assert all_rows() == before
    assert list(schema_differences()) == []


@pytest.mark.postgres
def test_a_program_that_a_dump_names_is_not_run(packed, tmp_path):
    # The server runs as another account: a folder that it could write.
    tmp_path.chmod(0o777)
    marker = tmp_path / "marker"
    restore_backup(with_sql(packed, f"COMMIT; COPY (SELECT 1) TO PROGRAM 'touch {marker}';"))
    assert not marker.exists()


@pytest.mark.slow
@pytest.mark.sqlite
def test_a_known_trigger_with_another_body_is_made_anew_rather_than_taken_from_the_file(packed):
    drop_triggers(connection)
    name = "ownership_changeset_no_update"
    execute(f"CREATE TRIGGER {name} BEFORE UPDATE ON ownership_changeset BEGIN SELECT 1; END")
    emptied = take_backup()
    restore_backup(emptied)
    assert_append_only()
    assert list(schema_differences()) == []


@pytest.mark.slow
@pytest.mark.sqlite
def test_a_view_in_the_place_of_a_table_is_refused(packed):
    execute(
        "ALTER TABLE axes_accesslog RENAME TO aside",
        "CREATE VIEW axes_accesslog AS SELECT * FROM aside",
    )
    view = take_backup()
    execute("DROP VIEW axes_accesslog", "ALTER TABLE aside RENAME TO axes_accesslog")
    with pytest.raises(BackupError, match="lacks the tables axes_accesslog"):
        restore_backup(view)


@pytest.mark.slow
def test_ids_of_deleted_rows_are_not_given_again_after_a_restore():
    make_service("a")
    deleted = make_service("b")
    number = deleted.pk
    deleted.delete()
    restore_backup(take_backup())
    assert make_service("c").pk > number


@pytest.mark.slow
def test_a_restore_that_fails_after_everything_was_loaded_changes_nothing(packed, monkeypatch):
    make_service("precious")
    before = all_rows()
    schema = schema_objects(connection)

    def fail(self):
        raise DatabaseError("no space left")

    monkeypatch.setattr("ownership.operations.restore.Verification.run", fail)
    with pytest.raises(BackupError, match="could not be restored: no space left"):
        restore_backup(packed)
    assert all_rows() == before
    assert schema_objects(connection) == schema
    assert_append_only()
