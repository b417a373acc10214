"""A backup holds one moment, also while people write; a restore puts it back whole, or changes nothing."""

import gzip
import io
import shutil
import stat
import threading
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
from ownership.operations.backup import BackupError, backup, restore
from tests.support.factories import make_access, make_service, make_table
from tests.support.rows import all_rows

pytestmark = [
    pytest.mark.usefixtures("committed"),
    pytest.mark.skipif(
        connection.vendor == "postgresql" and shutil.which("pg_dump") is None, reason="pg_dump is not installed"
    ),
]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where a backup may go."""
    return tmp_path / "registry.backup"


@pytest.fixture
def kept() -> bytes:
    """A backup of a table with an owner and an access."""
    make_access(make_table("orders", owner=make_service("payments")))
    return taken()


def taken() -> bytes:
    out = io.BytesIO()
    backup(out)
    return out.getvalue()


def put_back(packed: bytes) -> None:
    restore(io.BytesIO(packed))


def assert_append_only() -> None:
    with pytest.raises(DatabaseError, match="append-only"), connection.cursor() as cursor:
        cursor.execute("UPDATE ownership_changeset SET reason = 'Another'")


def repacked(packed: bytes, change) -> bytes:
    """The backup with other content, its checksum right."""
    return gzip.compress(change(gzip.decompress(packed)))


def test_a_restore_brings_every_row_of_every_table_back_and_the_registry_goes_on(file, lead):
    with change_set(user=lead, reason="As it was"):
        make_access(make_table("orders", owner=make_service("payments"), description="€ → \\N \t 'quotes' %s\nlines"))
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


def test_backups_taken_while_others_write_each_hold_one_moment():
    stop = threading.Event()

    def write() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            with change_set(reason=f"Written meanwhile, {number}"):
                make_access(make_table(owner=make_service()))
        connection.close()

    writer = threading.Thread(target=write)
    writer.start()
    kept = []
    try:
        while len(kept) < 3:
            with unchanging_view():
                rows = all_rows()
                kept.append((taken(), rows))
    finally:
        stop.set()
        writer.join()
    for packed, rows in kept:
        put_back(packed)
        assert all_rows() == rows


def test_the_file_is_its_makers_alone_and_nothing_is_written_over(file):
    call_command("backup", str(file))
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert list(file.parent.iterdir()) == [file]
    content = file.read_bytes()
    with pytest.raises(CommandError, match="is there already: name a new file"):
        call_command("backup", str(file))
    assert file.read_bytes() == content


def test_a_database_that_holds_something_is_replaced_only_when_told(file, kept):
    file.write_bytes(kept)
    make_service("precious")
    before = all_rows()
    with pytest.raises(CommandError, match=r"Nothing was changed.*say --yes"):
        call_command("restore", str(file))
    assert all_rows() == before


def test_a_file_that_is_not_there_changes_nothing(file):
    with pytest.raises(CommandError, match=r"Nothing was changed.*No such file"):
        call_command("restore", str(file), yes=True)


OTHER_KIND = {"sqlite": b"PGDMP" + bytes(100), "postgresql": b"SQLite format 3\x00" + bytes(100)}
BROKEN = {
    "empty": (lambda packed: b"", "no backup"),
    "cut": (lambda packed: packed[: len(packed) // 2], "damaged"),
    "its last byte missing": (lambda packed: packed[:-1], "damaged"),
    "not packed": (gzip.decompress, "damaged, or no backup"),
    "something else": (lambda packed: gzip.compress(b"Dear all"), "is no backup"),
    "other database": (lambda packed: gzip.compress(OTHER_KIND[connection.vendor]), "DATABASE_URL names a"),
    "cut inside": (
        lambda packed: repacked(packed, lambda content: content[: len(content) * 2 // 3]),
        "damaged|malformed|restore",
    ),
    "text changed inside": (
        lambda packed: repacked(packed, lambda content: content.replace(b"payments", b"paymentz", 1)),
        "does not verify|malformed|damaged",
    ),
}


@pytest.mark.parametrize(("broken", "message"), BROKEN.values(), ids=BROKEN)
def test_a_broken_file_is_refused_and_changes_nothing(kept, broken, message):
    make_service("precious")
    before = all_rows()
    with pytest.raises(BackupError, match=message):
        put_back(broken(kept))
    assert all_rows() == before
    make_service("goes-on")


def test_a_file_with_any_bit_flipped_is_refused(kept):
    before, random = all_rows(), Random(7)
    for _ in range(200):
        place = random.randrange(10, len(kept))  # the first ten say how it was packed, not what it holds
        flipped = bytearray(kept)
        flipped[place] ^= 1 << random.randrange(8)
        try:
            put_back(bytes(flipped))
        except BackupError:
            continue
        assert gzip.decompress(bytes(flipped)) == gzip.decompress(kept)  # a bit that packing leaves unused
    assert all_rows() == before


def test_a_backup_of_a_newer_registry_is_refused(kept):
    MigrationRecorder(connection).record_applied("ownership", "0099_from_the_future")
    newer = taken()
    MigrationRecorder(connection).record_unapplied("ownership", "0099_from_the_future")
    before = all_rows()
    with pytest.raises(BackupError, match=r"newer registry.*ownership\.0099_from_the_future"):
        put_back(newer)
    assert all_rows() == before


def test_a_backup_whose_history_was_tampered_with_is_refused():
    service = make_service("payments")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE ownership_service SET description = 'Behind the back'")
    tampered = taken()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE ownership_service SET description = ''")
    with pytest.raises(BackupError, match="does not verify: service payments"):
        put_back(tampered)
    assert Service.objects.get() == service


def test_an_older_backup_gets_the_triggers_and_tables_that_came_since(kept):
    drop_triggers(connection)
    older = taken()
    put_back(older)
    assert_append_only()
