"""The kept map: equal to a new one after any change, built once for everyone, and never of another revision."""

import gzip
import json

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from ownership.api import map_pieces, snapshot, snapshot_files
from ownership.api import map_view as map_module
from ownership.api.snapshot import Snapshots
from ownership.history.change_sets import change_set
from ownership.history.head import Head
from ownership.history.models import current_head
from ownership.models import Access, Environment, SecondaryIndex, Service, Table, TableGroup, Team
from ownership.plans.confirming import confirm
from tests.support.factories import make_access, make_service, make_table, make_team
from tests.support.threads import at_once
from tests.support.tokens import make_token


@pytest.fixture(autouse=True)
def own_folder(settings, tmp_path, monkeypatch) -> None:
    """Nothing kept from elsewhere."""
    settings.SNAPSHOT_DIR = tmp_path / "snapshots"
    monkeypatch.setattr(map_module, "snapshots", Snapshots())


def kept(get, path: str = "map/") -> dict:
    """The map from its snapshot."""
    return get(path).json()


def anew(get, path: str = "map/") -> dict:
    """The same revision, made from history as any revision of the past is."""
    return get(f"{path}{'&' if '?' in path else '?'}revision={current_head().revision}").json()


def edit(row, **fields) -> None:
    for name, value in fields.items():
        setattr(row, name, value)
    row.save()


def table(name="biztechUsers") -> Table:
    return Table.objects.get(name=name)


def service(name="payments") -> Service:
    return Service.objects.get(name=name)


EDITS = {
    "a table's description": lambda: edit(table(), description="Edited"),
    "a table's name": lambda: edit(table(), name="aaa"),
    "a table's place": lambda: edit(table(), position=99),
    "a table's owner": lambda: edit(table(), owner=service("events")),
    "a table's group": lambda: edit(table(), group=TableGroup.objects.get(name="BTX Tables")),
    "a table less": lambda: table().delete(),
    "a confirmation": lambda: confirm([table().pk], current_head().revision, user=None),
    "a table more": lambda: make_table("new", group=TableGroup.objects.first(), owner=service()),
    "an access's mode": lambda: edit(table().accesses.get(service=service()), mode="read"),
    "an access more": lambda: make_access(
        Table.objects.exclude(accesses__service=service()).first(), service()
    ),
    "an access less": lambda: table().accesses.get(service=service()).delete(),
    "an index": lambda: SecondaryIndex.objects.create(table=table(), name="by-day"),
    "a service's name": lambda: edit(service(), name="checkout"),
    "a service's parts": lambda: edit(service("teams"), part_of=None),
    "a service more": lambda: make_service("zzz"),
    "a group's name": lambda: edit(TableGroup.objects.get(name="Instagram Table"), name="Judges"),
    "a group's place": lambda: edit(TableGroup.objects.get(name="Instagram Table"), position=0),
    "a team more": lambda: make_team("Zebra"),
    "a team's name": lambda: edit(Team.objects.get(), name="Cash"),
    "the team of a service with parts": lambda: edit(
        service("interactions"), team=Team.objects.get()
    ),
    "the team of a service without": lambda: edit(service("events"), team=Team.objects.get()),
    "no team any more": lambda: edit(service(), team=None),
    "a part of a service with a team": lambda: edit(service("events"), part_of=service()),
    "a suffix": lambda: edit(Environment.objects.get(name="production"), suffix="-live"),
}


@pytest.mark.parametrize("act", EDITS.values(), ids=EDITS)
def test_after_an_edit_the_snapshot_equals_a_map_read_whole(seeded, get, act):
    edit(service(), team=make_team("Money"))
    paths = ["map/", "map/?environment=production"]
    before = [kept(get, path) for path in paths]
    act()
    after = [kept(get, path) for path in paths]
    assert after == [anew(get, path) for path in paths]
    assert after != before


def test_an_edit_of_a_table_renders_only_that_table(seeded, get, monkeypatch):
    kept(get)
    monkeypatch.setattr(
        map_pieces, "confirmed_map", lambda: pytest.fail("All of it was read again.")
    )
    edit(table(), description="Edited")
    assert {row["name"]: row["description"] for row in kept(get)["tables"]}[
        "biztechUsers"
    ] == "Edited"


def test_after_a_change_of_history_the_map_is_read_whole(seeded, get):
    kept(get)
    pieces = map_module.snapshots._pieces[None]
    pieces.head = Head(pieces.head.revision, "another's")
    pieces.tables = dict.fromkeys(pieces.tables, b'"stale"')
    edit(table(), description="Edited")
    assert kept(get) == anew(get)


def test_a_process_finds_the_snapshot_of_another(seeded, monkeypatch):
    head = current_head()
    made = Snapshots().get(head, None, False)
    monkeypatch.setattr(map_pieces, "confirmed_map", lambda: pytest.fail("It was made twice."))
    assert Snapshots().get(head, None, False) == made


@pytest.mark.parametrize("spoiled", [b"", b'{"revision":1'], ids=["empty", "cut short"])
def test_a_damaged_file_is_replaced(seeded, settings, spoiled):
    head = current_head()
    made = Snapshots().get(head, None, False)
    [file] = [path for path in settings.SNAPSHOT_DIR.iterdir() if path.name != "lock"]
    file.write_bytes(spoiled)
    assert Snapshots().get(head, None, False) == made
    assert file.read_bytes().startswith(made[1])


def test_many_requests_for_a_new_revision_build_it_once(committed, monkeypatch):
    make_table()
    real, made = map_pieces.confirmed_map, []
    monkeypatch.setattr(map_pieces, "confirmed_map", lambda: [made.append(1), real()][1])
    # Two of them are like two processes: they share only the folder.
    one, other = Snapshots(), Snapshots()
    head = current_head()
    found = at_once(*[lambda s=s: s.get(head, None, False) for s in (one, other) * 8])
    assert len(made) == 1
    assert len(set(found)) == 1


def test_a_change_while_a_snapshot_is_built_is_in_it(seeded, get, monkeypatch):
    real, edits = map_pieces.confirmed_map, iter(["Edited meanwhile"])

    def edited_meanwhile():
        rows = real()
        for text in edits:
            edit(table(), description=text)
        return rows

    monkeypatch.setattr(map_pieces, "confirmed_map", edited_meanwhile)
    answer = get("map/")
    assert answer["X-Registry-Revision"] == "2"
    assert answer.json() == anew(get)


@pytest.mark.parametrize("spoil", ["a file", "away", "its lock"])
def test_without_a_usable_folder_the_snapshot_is_still_built(
    seeded, get, settings, tmp_path, spoil
):
    settings.SNAPSHOT_DIR = tmp_path / spoil
    if spoil == "a file":
        settings.SNAPSHOT_DIR.write_text("in the way")
    elif spoil == "its lock":
        (settings.SNAPSHOT_DIR / "lock").mkdir(parents=True)
    else:
        settings.SNAPSHOT_DIR = "/proc/nowhere"
    assert kept(get) == anew(get)


@pytest.mark.slow
def test_files_and_memory_are_bounded(seeded, monkeypatch, settings):
    monkeypatch.setattr(snapshot, "MOST_BYTES", 50_000)
    keeper = Snapshots()
    for number in range(snapshot_files.MOST_FILES + 5):
        edit(table(), description=f"Edit {number}")
        keeper.get(current_head(), None, False)
    assert sum(map(len, keeper._contents.values())) <= 50_000
    files = [path for path in settings.SNAPSHOT_DIR.iterdir() if path.name != "lock"]
    assert len(files) == snapshot_files.MOST_FILES


def test_other_files_in_the_folder_are_kept(seeded, get, monkeypatch, settings):
    monkeypatch.setattr(snapshot_files, "MOST_FILES", 1)
    settings.SNAPSHOT_DIR.mkdir()
    others = [settings.SNAPSHOT_DIR / name for name in ("registry.sqlite3", "notes.txt", "folder")]
    for path in others:
        path.mkdir() if path.name == "folder" else path.write_text("precious")
    for number in range(3):
        edit(table(), description=f"Edit {number}")
        get("map/")
    assert {path.name for path in others} < {path.name for path in settings.SNAPSHOT_DIR.iterdir()}
    assert len(list(settings.SNAPSHOT_DIR.glob("?" * 64))) == 1


def test_pieces_are_kept_for_the_environments_requested_last(seeded, monkeypatch):
    monkeypatch.setattr(snapshot, "MOST_PIECES", 2)
    mine, head = Snapshots(), current_head()
    for environment in (None, *Environment.objects.all(), None):
        mine.get(head, environment, False)
    assert len(Environment.objects.all()) == 3
    assert len(mine._pieces) == 2
    assert (
        next(reversed(mine._pieces)) == Environment.objects.last().pk
    )  # the first one was kept as bytes


# What is sent


def test_the_map_in_gzip_has_the_same_content_and_its_own_etag(seeded, get):
    plain, packed = get("map/"), get("map/", accept_encoding="br, gzip;q=0.5")
    assert gzip.decompress(packed.content) == plain.content
    assert packed["Content-Encoding"] == "gzip"
    assert packed["ETag"] != plain["ETag"]
    assert get("map/", accept_encoding="gzip", if_none_match=packed["ETag"]).status_code == 304
    assert get("map/", accept_encoding="gzip", if_none_match=plain["ETag"]).status_code == 200
    assert "Accept-Encoding" in plain["Vary"]


@pytest.mark.parametrize("header", ["gzip;q=0", "gzip; q=0.0", "br", "x-gzipped", ""])
def test_without_accepting_gzip_the_map_is_plain(seeded, get, header):
    assert "Content-Encoding" not in get("map/", accept_encoding=header)


@pytest.mark.parametrize("headers", [{}, {"accept-encoding": "gzip"}], ids=["plain", "gzip"])
def test_middleware_and_view_give_the_same_answer(seeded, viewer, viewer_client, settings, headers):
    _, shown = make_token(viewer)
    token = headers | {"authorization": f"Token {shown}"}
    Client().get("/api/v1/map/", headers=token)  # the day of its use is written
    settings.ANONYMOUS_READ = False
    with CaptureQueriesContext(connection) as by_token:
        quick = Client().get("/api/v1/map/", headers=token)
    by_view = viewer_client.get("/api/v1/map/", headers=headers)
    settings.ANONYMOUS_READ = True
    with CaptureQueriesContext(connection) as by_nobody:
        anonymous = Client().get("/api/v1/map/", headers=headers)
    assert len(by_token) == len(by_nobody) == 1
    assert quick.content == by_view.content == anonymous.content
    for answer in (quick, anonymous):
        own = quick.headers.keys() - {"X-Request-ID"}
        assert {name: answer[name] for name in own} == {name: by_view[name] for name in own}
        assert by_view.headers.keys() - answer.headers.keys() == {"Allow"}


def test_an_unchanged_map_costs_one_query_and_has_no_body(seeded, settings):
    settings.ANONYMOUS_READ = True
    etag = Client().get("/api/v1/map/")["ETag"]
    with CaptureQueriesContext(connection) as queries:
        again = Client().get("/api/v1/map/", headers={"if-none-match": f'"other", W/{etag}'})
    assert (again.status_code, again.content, len(queries)) == (304, b"", 1)
    assert again["ETag"] == etag


@pytest.mark.parametrize("spoil", ["unknown", "expired", "inactive", "\x00", "é"])
def test_a_bad_token_is_refused_even_if_the_map_is_open(seeded, viewer, settings, spoil):
    settings.ANONYMOUS_READ = True
    token, shown = make_token(viewer)
    Client().get("/api/v1/map/", headers={"authorization": f"Token {shown}"})
    if spoil == "expired":
        type(token).objects.update(expiry="2026-01-01T00:00Z")
    elif spoil == "inactive":
        type(viewer).objects.update(is_active=False)
    else:
        shown = shown[:-1] + (
            "x" if spoil == "unknown" and shown[-1] != "x" else "y" if spoil == "unknown" else spoil
        )
    assert (
        Client().get("/api/v1/map/", headers={"authorization": f"Token {shown}"}).status_code == 401
    )


def test_the_map_has_one_line_per_table(seeded, get):
    lines = get("map/").content.decode().splitlines()
    assert sum(line.startswith('{"name":') for line in lines) == Table.objects.count()
    assert json.loads("".join(lines))["tables"][0]["name"] == Table.objects.first().name


def test_several_edits_in_one_change_set_are_all_shown(seeded, get, lead):
    kept(get)
    with change_set(user=lead, reason="Both", source="admin"):
        edit(table(), description="One")
        Access.objects.filter(table=table()).delete()
    assert kept(get) == anew(get)
