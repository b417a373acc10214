"""``manage.py import_map`` shows the differences, and applies all of them as one change set or none."""

import json
import re
from contextlib import nullcontext
from io import StringIO

import pytest
import yaml
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.db import OperationalError

from ownership.api.serializers import map_of_today
from ownership.audit.verification import Verification
from ownership.exchange.exports.to_markdown import render
from ownership.history.change_sets import change_set
from ownership.history.models import ChangeSet
from ownership.management.commands import import_map as command
from ownership.models import Access, Service, Table, TableGroup
from ownership.plans.plan import Plan
from tests.support.factories import make_service, make_table


@pytest.fixture
def run(seeded, tmp_path, capsys):
    """Import a text; returns what is printed."""

    def run(text, *arguments, name="map.md"):
        file = tmp_path / name
        file.write_text(text, encoding="utf-8", newline="")
        call_command("import_map", str(file), *arguments)
        return capsys.readouterr().out.splitlines()

    capsys.readouterr()
    return run


def exported():
    return render(map_of_today())


def edited():
    """The seed's document with one access changed, one dropped, and a table, a group and two services more."""
    text = exported()
    text = text.replace("| members | Write | grantMembership", "| members | Read | grantMembership")
    text = text.replace("| btx | Read | Maps teamId → projectId for investment impact |\n", "")
    new = (
        "## Shop\n\nWhat is sold.\n\n### shopOrders\n\nOrders. Primary key: id.\n\n- Index by-day (GSI)\n\n"
        "| Service | Access | Notes |\n|---|---|---|\n| **till** (shop) | Read + Write | Takes money |\n\n"
    )
    return text.replace("## Environment Suffix", f"{new}## Environment Suffix")


DIFFERENCE = [
    "create group Shop (line {}): description What is sold.",
    "create service shop (line {})",
    "create service till (line {}): part of shop",
    "create table shopOrders (line {}): group Shop; owner till; description Orders.; partition key id",
    "create secondary index shopOrders / by-day (line {}): kind Global (GSI)",
    "change access members → biztechUsers (line {}): mode Write → Read",
    "create access till → shopOrders (line {}): mode Read + Write; notes Takes money",
]


def without_lines(printed):
    return [re.sub(r"line \d+", "line {}", line) for line in printed]


def test_the_difference_is_shown_row_by_row_and_nothing_is_changed(run):
    printed = run(edited())

    assert without_lines(printed[:-1]) == DIFFERENCE
    assert printed[-1] == (
        "Compared with revision 1: 6 to create, 1 to change, 0 to delete. "
        "Not in the file, and kept: 1 access (--prune would delete them)."
    )
    assert ChangeSet.objects.count() == 1
    assert edited().splitlines().index("## Shop") + 1 == int(
        printed[0].split("line ")[1].split(")")[0]
    )


class Terminal(StringIO):
    """Where a person reads."""

    def isatty(self):
        return True


@pytest.mark.parametrize(
    ("out", "told"), [(Terminal, 2), (StringIO, len(DIFFERENCE))], ids=["terminal", "pipe"]
)
def test_a_terminal_gets_the_first_lines_and_a_pipe_gets_all(run, tmp_path, monkeypatch, out, told):
    monkeypatch.setattr(command, "ON_A_TERMINAL", 2)
    (tmp_path / "map.md").write_text(edited(), encoding="utf-8")
    call_command("import_map", str(tmp_path / "map.md"), stdout=(written := out()))
    lines = without_lines(written.getvalue().splitlines())
    assert lines[:told] == DIFFERENCE[:told]
    assert lines[-1].startswith("Compared with revision 1: 6 to create, 1 to change")
    assert lines[told:-1] == (
        ["… and 5 more: a file or pipe gets all lines."] if out is Terminal else []
    )


def test_it_is_applied_as_one_change_set_with_reason_source_and_account(run, lead):
    text = edited()
    printed = run(text, "--apply", "--reason", "The shop opens", "--user", "lead")

    change = ChangeSet.objects.first()
    assert printed[-1] == f"Applied as revision {change.revision}."
    assert (change.revision, change.source, change.reason, change.user_name, change.user_id) == (
        2,
        "import",
        "The shop opens",
        "lead",
        lead.pk,
    )
    access = Access.objects.get_by_natural_key("biztechUsers", "members")
    assert (access.mode, access.notes) == ("read", "grantMembership sets isMember: true")
    order = Table.objects.get(name="shopOrders")
    assert (order.group.description, order.owner.part_of.name) == ("What is sold.", "shop")
    assert TableGroup.objects.last().name == "Shop", "after those that were there"
    assert Access.objects.filter(table__name="biztechTeams", service__name="btx").exists(), (
        "not pruned"
    )
    assert list(Verification().run()) == []
    assert run(text)[-1].startswith(
        "Compared with revision 2: no difference. Not in the file, and kept: 1 "
    )


def test_a_difference_is_one_line_without_control_characters(run):
    with change_set(reason="Odd notes"):
        access = Access.objects.get_by_natural_key("biztechUsers", "users")
        access.notes = "one\n\x1b[31mtwo"
        access.save()
    text = exported()
    assert run(text) == ["Compared with revision 2: no difference."]
    printed = run(text.replace("one<br>", ""))
    assert printed[0].endswith(r"notes one\n\x1b[31mtwo → \x1b[31mtwo")


def test_lines_that_are_ignored_are_not_called_no_difference(run):
    printed = run(exported() + "\nA word on the side.\n")
    assert printed[0].endswith(": A word on the side.")
    assert printed[1] == "Compared with revision 1: no difference, except for 1 ignored line."


def test_an_environments_pattern_is_imported_and_refused_beside_a_suffix(run):
    text = exported()
    reminder = "- **production** (suffix PROD)"
    printed = run(text.replace(reminder, r"- **production** (pattern {stage}-{name})"))
    assert printed[0].endswith("suffix PROD → nothing; name pattern nothing → {stage}-{name}")
    both = {
        **map_of_today(),
        "environments": [{"name": "production", "suffix": "PROD", "pattern": "x-{name}"}],
    }
    with pytest.raises(CommandError, match="Give a suffix or a name pattern, not both"):
        run(json.dumps(both), name="map.json")


def test_only_prune_deletes(run):
    text = exported()
    start, end = text.index("## Instagram Table"), text.index("## Environment Suffix")

    printed = run(text[:start] + text[end:], "--prune")
    assert printed[:-1] == ["delete table biztechInstagramAuth", "delete group Instagram Table"]
    run(text[:start] + text[end:], "--prune", "--apply", "--reason", "Instagram is gone")

    assert not Table.objects.filter(name="biztechInstagramAuth").exists()
    assert not TableGroup.objects.filter(name="Instagram Table").exists()
    assert Service.objects.filter(name="instagram").exists(), "no form lists all services"
    assert list(Verification().run()) == []


def test_prune_refuses_lines_that_are_not_understood(run):
    with pytest.raises(
        CommandError, match=r"map.md: with --prune every line must be understood.* line 1\."
    ):
        run("#Table Ownership Map\n" + exported(), "--prune")


def test_csv_deletes_only_accesses_and_tables(run, capsys):
    call_command("export_map", "--format", "csv")
    text = capsys.readouterr().out
    rows = [
        line
        for line in text.split("\r\n")
        if "biztechInstagramAuth" not in line and "Maps teamId" not in line
    ]

    printed = run("\r\n".join(rows), "--prune", name="map.csv")

    assert printed[:-1] == ["delete access btx → biztechTeams", "delete table biztechInstagramAuth"]


def test_all_mistakes_are_reported_at_once_and_nothing_is_changed(run):
    text = (
        exported().replace("| members | Write |", "| members | Wirte |").replace("## Shop", "")
        + "\n## New\n\n### newTable\n\n### a!\n\n## Environment Suffix Reminder\n\n- **bad name** (empty suffix)\n"
    )
    with pytest.raises(CommandError) as refused:
        run(text, "--apply", "--reason", "x")

    told = str(refused.value).splitlines()
    assert told[-1] == "Nothing was changed."
    assert [line.partition(": ")[2] for line in told[:-1]] == [
        "'Wirte' is not an access: write Read, Write or Read + Write, with or without (indirect).",
        "table newTable: is new, so it needs an owner.",
        "table a!: is new, so it needs an owner.",
        "table a!: name: Use 3–255 letters, digits, “_”, “.” or “-” (no spaces).",
    ]
    assert ChangeSet.objects.count() == 1


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (
            "table,group,owner,sort_key\nxxx,Core Tables,users,id",
            "A sort key needs a partition key",
        ),
        (
            "table,group,owner,partition_key,sort_key\nxxx,Core Tables,users,id,id",
            "must be different attributes",
        ),
        (
            "table,group,owner,partition_key_type\nxxx,Core Tables,users,S",
            "A key's type or format needs",
        ),
        (
            "table,group,owner,partition_key,partition_key_type\nxxx,Core Tables,users,id,X",
            "'X' is not a valid choice",
        ),
        ("table,group,owner,more_url\nxxx,Core Tables,users,javascript:x", "Enter a valid URL"),
        ("table,group,owner,description\nxxx,Core Tables,users,a\x00b", "Remove the NUL character"),
        ("table,owner\nbiztechUsers,no such", "letters, digits"),
        (
            "table,service,part_of\nbiztechTeams,interactions,teams\n",
            "circle: interactions → teams → interactions",
        ),
    ],
)
def test_a_broken_rule_is_reported_before_anything_is_written(run, row, words):
    with pytest.raises(CommandError, match="map.csv, line 2: ") as refused:
        run(row, "--apply", "--reason", "x", name="map.csv")
    assert words in str(refused.value)
    assert ChangeSet.objects.count() == 1


def test_a_service_may_swap_places_with_the_one_it_is_part_of(run):
    text = "table,service,part_of\nbiztechTeams,teams,\nbizWallSockets,interactions,teams\n"
    run(text, "--apply", "--reason", "The other way round", name="map.csv")
    assert Service.objects.get(name="interactions").part_of.name == "teams"
    assert Service.objects.get(name="teams").part_of is None


def test_a_row_changed_after_the_comparison_keeps_the_import_from_being_applied(run, monkeypatch):
    def change_the_access():
        access = Access.objects.get_by_natural_key("biztechUsers", "members")
        access.notes = "Noted meanwhile"
        access.save()

    late(monkeypatch, change_the_access)
    with pytest.raises(CommandError, match="members → biztechUsers changed in the meantime"):
        run(edited(), "--apply", "--reason", "x")
    assert not Table.objects.filter(name="shopOrders").exists()


def test_a_change_elsewhere_does_not_keep_the_import_from_being_applied(run, monkeypatch):
    late(monkeypatch, lambda: make_table("meanwhile", owner=make_service("quick")))
    run(edited(), "--apply", "--reason", "x")
    assert Table.objects.filter(name="shopOrders").exists()


def late(monkeypatch, work):
    """Let somebody work between the comparison and the writing."""
    real = Plan.apply

    def apply_late(self, **arguments):
        with change_set(reason="Somebody was quicker"):
            work()
        return real(self, **arguments)

    monkeypatch.setattr(Plan, "apply", apply_late)


def test_a_refusal_half_way_writes_nothing(run, monkeypatch):
    def refuse(self):
        if self.notes == "Takes money":
            raise ValidationError("no money")

    monkeypatch.setattr(Access, "check_under_lock", refuse)
    with pytest.raises(CommandError, match="Nothing was applied. till → shopOrders: no money"):
        run(edited(), "--apply", "--reason", "x")
    assert ChangeSet.objects.count() == 1
    assert not Table.objects.filter(name="shopOrders").exists()


@pytest.mark.parametrize("refused", [False, True], ids=["applied", "refused"])
def test_a_terminal_shows_progress_in_a_line_that_is_cleared(
    seeded, tmp_path, monkeypatch, refused
):
    def refuse(self):
        raise ValidationError("no money")

    if refused:
        monkeypatch.setattr(Access, "check_under_lock", refuse)
    (tmp_path / "map.md").write_text(edited(), encoding="utf-8")
    terminal = Terminal()
    with pytest.raises(CommandError) if refused else nullcontext():
        call_command(
            command.Command(stderr=terminal, force_color=True),
            str(tmp_path / "map.md"), "--apply", "--reason", "The shop opens",
        )  # fmt: skip
    lines = terminal.getvalue().split("\r")
    assert lines[1] == f"[{'#' * 4:30}] 1 of 7 rows"
    assert lines[-1] == "\x1b[K", "the line is empty before anything else is printed"


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (KeyboardInterrupt(), "Interrupted"),
        (OperationalError("server closed the connection\n"), "server closed"),
    ],
    ids=["interrupted", "no database"],
)
def test_an_interrupted_import_says_how_to_see_what_was_applied(run, monkeypatch, error, words):
    def cut(self):
        raise error

    monkeypatch.setattr(Access, "check_under_lock", cut)
    with pytest.raises(
        CommandError,
        match=f"^{words}.*: either everything was applied or, .* nothing. Run it without --apply",
    ):
        run(edited(), "--apply", "--reason", "x")
    assert not Table.objects.filter(name="shopOrders").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--apply"], "Give a reason for the change"),
        (["--apply", "--reason", "  "], "Give a reason for the change"),
        (["--user", "nobody"], "There is no account named 'nobody'"),
    ],
)
def test_missing_arguments_are_reported_first(run, arguments, words):
    with pytest.raises(CommandError, match=words):
        run(edited(), *arguments)


def test_a_file_that_is_not_text_is_refused(run, tmp_path):
    (tmp_path / "map.bin").write_bytes(b"a\nb\xff")
    with pytest.raises(
        CommandError, match="is not text in UTF-8 .line 2; in Windows-1252 it would be 'ÿ'."
    ):
        call_command("import_map", str(tmp_path / "map.bin"))
    (tmp_path / "map.txt").write_text('{"tables": []}')
    with pytest.raises(CommandError, match="looks like JSON: give it the ending .json"):
        call_command("import_map", str(tmp_path / "map.txt"))
    with pytest.raises(CommandError, match="can't be read"):
        call_command("import_map", str(tmp_path / "nothing.md"))


# JSON and YAML, in the shape of the API's map


def saved_map():
    return json.loads(json.dumps(map_of_today()))


def test_a_saved_map_is_imported_as_json(run):
    content = saved_map()
    content["services"].append({"name": "till", "contact": "#till", "aliases": ["till-stack"]})
    users = content["tables"][0]
    users["owner"] = "till"
    users["accesses"][0]["notes"] = "CRUD"

    printed = run(
        json.dumps(content), "--apply", "--reason", "The till owns users", name="map.json"
    )

    assert printed[:-2] == [
        "create service till (services › till): contact #till; aliases till-stack",
        "change table biztechUsers (tables › biztechUsers): owner users → till",
        "change access users → biztechUsers (tables › biztechUsers › accesses › users): "
        "notes Owner. CRUD for user records → CRUD",
    ]
    assert Table.objects.get(name="biztechUsers").owner.contact == "#till"


def test_what_an_entry_leaves_out_stays_as_it_is(run):
    content = {
        "environments": [],
        "groups": [],
        "services": [{"name": "users"}],
        "tables": [{"name": "biztechUsers"}],
    }
    with change_set(reason="A contact"):
        users = Service.objects.get(name="users")
        users.contact = "#users"
        users.save()
    assert run(yaml.safe_dump(content), name="map.yaml")[0].startswith(
        "Compared with revision 2: no difference."
    )


def test_null_removes_a_value(run):
    content = saved_map()
    content["tables"][0]["key_schema"] = None
    printed = run(json.dumps(content), name="map.json")
    assert printed[0] == (
        "change table biztechUsers (tables › biztechUsers): partition key id → nothing; "
        "partition key format email → nothing"
    )


def test_pruning_by_a_map_deletes_what_it_does_not_list_and_no_service(run):
    content = saved_map()
    content["tables"] = [
        table for table in content["tables"] if table["name"] != "biztechInstagramAuth"
    ]
    content["groups"] = [group for group in content["groups"] if group["name"] != "Instagram Table"]
    content["services"] = [
        service for service in content["services"] if service["name"] != "instagram"
    ]
    content["tables"][0]["accesses"] = content["tables"][0]["accesses"][:-1]

    printed = run(
        json.dumps(content), "--prune", "--apply", "--reason", "Instagram is gone", name="map.json"
    )

    assert printed[:-2] == [
        "delete access transactions → biztechUsers",
        "delete table biztechInstagramAuth",
        "delete group Instagram Table",
    ]
    assert Service.objects.filter(name="instagram").exists()


def test_pruning_what_is_still_used_is_refused_before_anything_is_written(run):
    content = saved_map()
    group = content["groups"].pop()
    for table in content["tables"]:
        if table["group"] == group["name"]:
            del table["group"]
    with pytest.raises(
        CommandError, match="group Instagram Table: still used by biztechInstagramAuth"
    ):
        run(json.dumps(content), "--prune", name="map.json")


def test_mistakes_in_a_map_are_reported_with_their_places_and_all_at_once(run):
    content = saved_map()
    content["tables"][0]["owner"] = "nobody"
    content["tables"][1]["accesses"][0]["mode"] = "raed"
    del content["services"]
    with pytest.raises(CommandError) as refused:
        run(json.dumps(content), "--apply", "--reason", "x", name="map.json")
    assert str(refused.value).splitlines() == [
        "map.json: 'services' is missing.",
        "map.json, tables › biztechEvents › accesses › events: mode is 'raed': write one of read, write, read_write.",
        "map.json, tables › biztechUsers: table biztechUsers: unknown service 'nobody'.",
        "Nothing was changed.",
    ]


def test_an_unknown_name_is_answered_with_the_one_that_it_looks_like(run):
    content = saved_map()
    content["tables"][0]["owner"] = "Events"
    with pytest.raises(CommandError, match="unknown service 'Events': write 'events'"):
        run(json.dumps(content), name="map.json")
