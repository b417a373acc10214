"""A head that was kept elsewhere, by hand or in a log, shows a history that was rewritten or cut off."""

import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from pythonjsonlogger.json import JsonFormatter

from ownership.audit.head_log import heads_in_log
from ownership.audit.verification import Head
from ownership.history.append_only import create_triggers
from ownership.history.models import entry_models
from registry import env
from tests.support.factories import make_service
from tests.support.tampering import (
    findings,
    head,
    owner_of_the_database,
    revision,
    rewrite_chain,
    set_value,
)

pytestmark = pytest.mark.django_db


def log_line(head: Head, **more: object) -> str:
    return "web-1  | " + json.dumps({"logger": "ownership.history", "head": str(head), **more})


@pytest.fixture
def log(edited, caplog, tmp_path) -> Path:
    """The log of one more change set, written as in production, with lines of others."""
    with caplog.at_level("INFO", "ownership.history"), transaction.atomic():
        connection.run_on_commit.clear()
        make_service("later")
        for _, report, _ in connection.run_on_commit:
            report()
        connection.run_on_commit.clear()
    settings = {
        "fmt" if key == "format" else key: value
        for key, value in env.JSON_LINES.items()
        if key != "()"
    }
    formatter = JsonFormatter(**settings)
    lines = [f"web-1  | {formatter.format(record)}" for record in caplog.records]
    path = tmp_path / "registry.log"
    path.write_text("\n".join(["starting", '{"logger": "other", "head": "x"}', *lines, "{broken"]))
    return path


@pytest.mark.slow
def test_a_history_is_held_against_the_heads_in_a_log(log):
    call_command("verify_history", head_from_log=str(log), stdout=StringIO())
    with owner_of_the_database() as execute:
        execute(set_value(revision(2), "user_name", "mallory"))
    rewrite_chain()
    create_triggers(connection)
    out = StringIO()
    with pytest.raises(CommandError, match=r"1 finding\(s\)"):
        call_command("verify_history", head_from_log=str(log), stdout=out)
    assert "revision 8: its digest" in out.getvalue()
    assert "differs from the kept head" in out.getvalue()


def test_after_a_restore_in_the_log_later_heads_no_longer_count():
    old, new = Head(2, "b" * 64), Head(2, "c" * 64)
    first = Head(1, "a" * 64)
    lines = [log_line(first), log_line(old), log_line(first, restored=True), log_line(new)]
    assert heads_in_log(lines) == [first, new]


def test_two_heads_of_one_revision_in_a_log_are_refused():
    with pytest.raises(ValueError, match="two heads of revision 2"):
        heads_in_log([log_line(Head(2, "b" * 64)), log_line(Head(2, "c" * 64))])


@pytest.mark.parametrize("text", ["", "nothing here\n"], ids=["empty", "other lines"])
def test_a_log_without_a_head_is_refused(text, tmp_path):
    file = tmp_path / "log"
    file.write_text(text)
    with pytest.raises(CommandError, match="no head in the log"):
        call_command("verify_history", head_from_log=str(file))


# Kept by hand


def test_a_completely_rewritten_history_is_found_only_with_a_kept_head(edited):
    kept = head()
    with owner_of_the_database() as execute:
        execute(set_value(revision(2), "user_name", "mallory"))
    rewrite_chain()
    assert findings() == []
    assert findings(kept) == [
        f"revision 7: its digest {head().digest} differs from the kept head: history was rewritten."
    ]


def test_a_cut_off_tail_is_found_only_with_a_kept_head(edited):
    kept = head()
    with owner_of_the_database() as execute:
        for model in entry_models():
            execute(f"DELETE FROM {model._meta.db_table} WHERE change_set_id = 7")
        execute("DELETE FROM ownership_changeset WHERE revision = 7")
        execute("UPDATE ownership_table SET description = 'Orders.'")
        execute("UPDATE ownership_access SET mode = 'read'")
    assert findings() == []
    assert findings(kept) == [
        "revision 7: the kept head is missing: the end of the history was cut off."
    ]


def test_an_older_kept_head_still_matches(edited):
    kept = head()
    make_service("later")
    assert findings(kept) == []


@pytest.mark.parametrize(
    "text", ["", "7", "7:", ":abc", "7:xyz", "-1:" + "a" * 64, "7:" + "a" * 63]
)
def test_a_malformed_head_is_refused(text):
    with pytest.raises(ValueError, match="expected REVISION:DIGEST"):
        Head.parse(text)


def test_the_command_refuses_a_malformed_head():
    with pytest.raises(CommandError, match="expected REVISION:DIGEST"):
        call_command("verify_history", head="7")
