"""Real threads, real connections, real commits: nobody's edit is lost, nobody gets an error page."""

import json
import threading
import time
from functools import partial

import pytest
from django.contrib.auth.models import Group, User
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, transaction
from django.test import Client

from ownership.audit.verification import Verification
from ownership.catalog.confirmation import states_of
from ownership.history.change_sets import change_set
from ownership.history.models import ChangeSet, current_head
from ownership.models import Access, Service, Table
from ownership.models.rights import TEAM_LEADS
from ownership.plans.confirming import confirm
from tests.support.admin_forms import answer, form_of, open_form, save_form
from tests.support.factories import make_service, make_table
from tests.support.runs import keep_run
from tests.support.threads import PATIENCE, at_once

pytestmark = pytest.mark.usefixtures("committed")

IMPORT_HEAD = "table,group,owner,description\n"
# How many times two leads save at once.
PAIRS = 20


def signed_in(name: str) -> Client:
    client = Client(raise_request_exception=False)
    lead = User.objects.create_user(name)
    lead.groups.add(Group.objects.get(name=TEAM_LEADS))
    client.force_login(lead)
    return client


def revisions() -> list[int]:
    return list(ChangeSet.objects.order_by("revision").values_list("revision", flat=True))


def follow(client: Client, after: str = "0") -> tuple[list[int], str]:
    """What a consumer gets who goes on after a cursor, two entries at a time: revisions, and the cursor after them."""
    seen, more = [], True
    while more:
        page = client.get("/api/v1/changes/", {"after": after, "page_size": 2}).json()
        seen += [entry["revision"] for change in page["results"] for entry in change["entries"]]
        after, more = page["next"], page["has_more"]
    return seen, after


def assert_whole() -> None:
    assert revisions() == list(range(1, len(revisions()) + 1))
    assert [str(finding) for finding in Verification().run()] == []


@pytest.mark.slow
def test_if_two_leads_save_the_same_form_one_is_saved_and_the_other_gets_a_conflict_every_time():
    table = make_table("orders", description="0", more_title="0")
    clients = {name: signed_in(name) for name in ("ann", "ben")}
    for number in range(1, PAIRS + 1):
        # Both touch the same field and one of their own, so that a lost edit shows in either.
        forms = {name: open_form(client, table) for name, client in clients.items()}
        forms["ann"] |= {"description": f"ann {number}", "more_title": f"ann {number}"}
        forms["ben"] |= {"description": f"ben {number}", "partition_key_name": f"ben{number}"}
        before = ChangeSet.objects.count()
        saves = [
            partial(save_form, clients[name], table, forms[name], f"{name} {number}")
            for name in clients
        ]
        results = dict(zip(clients, at_once(*saves), strict=True))
        codes = {name: getattr(result, "status_code", result) for name, result in results.items()}
        assert sorted(codes.values(), key=str) == [200, 302], f"pair {number}: {codes}"
        winner, loser = sorted(codes, key=lambda name: codes[name] != 302)
        told = results[loser].content.decode()
        assert f"{winner} changed this" in told
        assert f"{loser} {number}" in told  # what the loser typed is still there
        assert ChangeSet.objects.count() == before + 1
        row = Table.objects.get()
        assert row.description == f"{winner} {number}"
        assert (row.more_title == f"ann {number}") == (winner == "ann")
        assert (row.partition_key_name == f"ben{number}") == (winner == "ben")
    assert_whole()


@pytest.mark.slow
def test_leads_who_save_different_tables_are_all_saved():
    leads = [signed_in(f"lead-{number}") for number in range(6)]
    tables = [make_table(f"table-of-{number}") for number in range(6)]
    forms = [
        open_form(lead, table) | {"description": "Mine."}
        for lead, table in zip(leads, tables, strict=True)
    ]
    saves = [
        partial(save_form, lead, table, form, f"By {number}")
        for number, (lead, table, form) in enumerate(zip(leads, tables, forms, strict=True))
    ]
    results = at_once(*saves)
    assert [getattr(result, "status_code", result) for result in results] == [302] * 6
    assert {table.description for table in Table.objects.all()} == {"Mine."}
    assert {f"By {number}" for number in range(6)} <= set(
        ChangeSet.objects.values_list("reason", flat=True)
    )
    assert_whole()


@pytest.mark.slow
def test_a_consumer_that_polls_during_many_writes_misses_none_and_sees_them_in_order():
    seen: list[int] = []
    done, consumer = threading.Event(), signed_in("consumer")

    def write(name: str) -> None:
        for number in range(15):
            with change_set(reason=f"{name} {number}"):
                make_service(f"{name}-{number}")

    def writers() -> None:
        failures = [
            result for result in at_once(*(partial(write, name) for name in "abc")) if result
        ]
        done.set()
        assert not failures

    def poll() -> None:
        last_round, cursor = False, "0"
        while not last_round:
            last_round = done.is_set()
            found, cursor = follow(consumer, cursor)
            seen.extend(found)
            # Without a pause this thread would keep the interpreter from the one that holds SQLite's lock, and so
            # the others waiting until their patience ends.
            time.sleep(0.005)

    assert at_once(writers, poll) == [None, None]
    assert seen == list(range(1, 46)) == revisions()
    assert_whole()


@pytest.mark.postgres  # SQLite lets one writing transaction begin at a time
def test_a_change_set_that_began_earlier_and_commits_later_gets_the_later_revision():
    """Both transactions are open at once; the registry's lock, not BEGIN, orders them."""
    began, second_committed = threading.Event(), threading.Event()
    consumer = signed_in("consumer")
    polls: list[tuple[list[int], str]] = []

    def first() -> None:
        with transaction.atomic():
            assert (
                Service.objects.count() == 0
            )  # the transaction is open, with its snapshot of that time
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_current_xact_id()")
            began.set()
            assert second_committed.wait(PATIENCE)
            with change_set(reason="Began first"):
                make_service("first")

    def second() -> None:
        assert began.wait(PATIENCE)
        with change_set(reason="Began second"):
            make_service("second")
        polls.append(follow(consumer))
        second_committed.set()

    assert at_once(first, second) == [None, None]
    [(seen, cursor)] = polls
    assert (seen, follow(consumer, cursor)[0]) == ([1], [2])
    assert list(ChangeSet.objects.order_by("revision").values_list("reason", flat=True)) == [
        "Began second",
        "Began first",
    ]
    assert_whole()


@pytest.mark.slow
def test_while_a_change_set_is_open_nobody_else_can_take_the_next_revision():
    """Whoever holds the lock commits first: a revision is never visible while an earlier one is still to come."""
    inside, waited = threading.Event(), threading.Event()
    seen_while_open: list[list[int]] = []

    def holder() -> None:
        with change_set(reason="Holds the lock"):
            make_service("first")
            inside.set()
            waited.wait(1.5)  # the other is at the lock by now, and must not pass it
            seen_while_open.append([])

    def follower() -> None:
        assert inside.wait(PATIENCE)
        with change_set(reason="Waits for it"):
            seen_while_open.append(revisions())
            make_service("second")
        waited.set()

    assert at_once(holder, follower) == [None, None]
    assert seen_while_open == [[], [1]]
    assert list(ChangeSet.objects.order_by("revision").values_list("reason", flat=True)) == [
        "Holds the lock",
        "Waits for it",
    ]
    assert_whole()


@pytest.mark.slow
@pytest.mark.parametrize("way", ["orm", "admin"])
def test_if_two_leads_each_close_half_a_circle_of_parts_one_is_refused(way):
    clients = [signed_in("ann"), signed_in("ben")]
    for number in range(10):
        one, other = make_service(f"one-{number}"), make_service(f"other-{number}")
        halves = [(clients[0], one, other), (clients[1], other, one)]
        if way == "admin":
            forms = [
                open_form(client, part) | {"part_of": str(whole.pk)}
                for client, part, whole in halves
            ]
            results = at_once(
                *(
                    partial(save_form, *half[:2], form)
                    for half, form in zip(halves, forms, strict=True)
                )
            )
            outcome = sorted(getattr(result, "status_code", 0) for result in results)
            assert outcome == [200, 302], results
            assert (
                "that would be a circle"
                in next(r for r in results if r.status_code == 200).content.decode()
            )
        else:

            def close_half(part: Service, whole: Service) -> None:
                part = Service.objects.get(pk=part.pk)
                part.part_of = whole
                part.save()

            results = at_once(*(partial(close_half, *half[1:]) for half in halves))
            assert sorted(type(result) for result in results if result is not None) == [
                ValidationError
            ], results
        assert Service.objects.filter(pk__in=[one.pk, other.pk], part_of__isnull=False).count() == 1
    assert_whole()


TABLES = "/admin/ownership/table/"


@pytest.mark.slow
@pytest.mark.parametrize("what", ["table", "new owner"])
def test_a_hand_over_against_a_delete_leaves_one_of_the_two(what):
    ann, ben = signed_in("ann"), signed_in("ben")
    for number in range(8):
        old, new = make_service(f"old-{number}"), make_service(f"new-{number}")
        table = make_table(f"orders-{number}", owner=old)
        Access.objects.create(table=table, service=old, mode="write", notes="Owner.")
        chosen = {"action": "edit_tables", "_selected_action": [table.pk]}
        page = ann.post(TABLES, chosen)
        page = ann.post(TABLES, chosen | answer(page, preview="yes", owner=new.pk))
        hand_over = partial(
            ann.post,
            TABLES,
            chosen | answer(page, apply="Apply", reason="Handed over"),
            follow=True,
        )
        doomed = table if what == "table" else new
        address = f"/admin/ownership/{doomed._meta.model_name}/{doomed.pk}/delete/"
        delete = partial(ben.post, address, {"post": "yes", "reason": "Deleted"})

        handed, deleted = at_once(hand_over, delete)

        assert (handed.status_code, deleted.status_code in (200, 302)) == (200, True), (
            handed,
            deleted,
        )
        is_gone = not type(doomed).objects.filter(pk=doomed.pk).exists()
        assert is_gone == (deleted.status_code == 302)
        row = Table.objects.filter(pk=table.pk).first()
        if row is not None:
            services = {row.owner_id, *row.accesses.values_list("service_id", flat=True)}
            assert services == {old.pk if is_gone else new.pk}, "owner and access move together"
        if what == "new owner":
            assert is_gone != ("Saved: 2 entries changed." in handed.text)
    assert_whole()


@pytest.mark.slow
def test_an_import_while_others_save_is_applied_to_what_it_was_compared_with_or_not_at_all():
    leads = [signed_in(f"lead-{number}") for number in range(3)]
    importer = signed_in("importer")
    tables = [make_table(f"table-{number}", description="0") for number in range(3)]
    for number in range(1, 6):
        rows = ""
        for table in tables:
            rows += f"{table.name},{table.group.name},{table.owner.name},imported {number}\n"
        file = SimpleUploadedFile("map.csv", (IMPORT_HEAD + rows).encode())
        page = importer.post(f"{TABLES}import/", {"file": file})
        form = {
            name: value
            for name, value in form_of(page).items()
            if name in ("content", "fingerprint")
        }
        apply = partial(
            importer.post,
            f"{TABLES}import/",
            form | {"apply": "Apply", "reason": f"Import {number}"},
        )
        saves = []
        for lead, table in zip(leads, tables, strict=True):
            typed = open_form(lead, table) | {"description": f"lead {number}"}
            saves.append(partial(save_form, lead, table, typed, f"Save {number}"))

        imported, *saved = at_once(apply, *saves)

        assert {one.status_code for one in saved} <= {200, 302}, saved
        was_applied = ChangeSet.objects.filter(reason=f"Import {number}").exists()
        assert was_applied == (imported.status_code == 302)
        texts = {table.description for table in Table.objects.all()}
        if was_applied:
            # Whoever came first was there before the import, so that it was refused; all others have a conflict.
            assert texts == {f"imported {number}"}
            assert {one.status_code for one in saved} == {200}
        else:
            assert "the map has changed since this preview" in imported.text
            assert texts == {f"lead {number}"}
    assert_whole()


@pytest.mark.slow
def test_if_two_leads_accept_the_same_finding_one_writes_it_and_the_other_gets_a_message():
    make_table("orders")
    make_service("bots")
    finding = json.dumps(["undeclared_access", "orders", "bots"])
    for number in range(5):
        run = keep_run("bots write orders")
        forms = {}
        for name in ("ann", "ben"):
            client = signed_in(f"{name} {number}")
            page = client.post(
                "/drift/accept/", {"run": run.pk, "revision": "0", "finding": finding}
            )
            typed = form_of(page) | {
                "finding": finding,
                "reason": f"{name} {number}",
                "confirmed": "1",
            }
            forms[name] = partial(client.post, "/drift/accept/", typed, follow=True)
        before = ChangeSet.objects.count()
        answers = at_once(*forms.values())
        assert sorted("1 finding accepted (" in answer.text for answer in answers) == [False, True]
        assert sorted("no longer apply" in answer.text for answer in answers) == [False, True]
        assert ChangeSet.objects.count() == before + 1
        Access.objects.get().delete()
    assert_whole()


@pytest.mark.slow
def test_what_nobody_was_shown_is_never_confirmed():
    table = make_table("orders")
    for number in range(20):
        shown_at = current_head().revision
        service = make_service(f"newcomer-{number}")
        outcome, _ = at_once(
            partial(confirm, [table.pk], shown_at, user=None),
            partial(Access.objects.create, table=table, service=service, mode="read"),
        )
        assert bool(outcome.left_out) != bool(outcome.tables)
        assert states_of([table])[table.pk].state in ("changed_since", "never")
    assert_whole()
