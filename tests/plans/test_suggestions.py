"""Suggestions: stored in names, compared with the map of now, and written whole, once, by two people."""

import pytest
from django.db import IntegrityError, transaction

from ownership.audit.descriptions import steps_in_words
from ownership.history.change_sets import change_set
from ownership.history.models import ChangeSet, Person, current_head, entries_of
from ownership.models import Access, Suggestion, Table
from ownership.plans.division import OwnerPart
from ownership.plans.plan import Blocked, NotApplied, Stale
from ownership.plans.steps import Step, copy_of
from ownership.plans.suggested_rows import ALREADY_SO, GONE, UNKNOWN
from ownership.plans.suggested_steps import stored_previews
from ownership.plans.suggestion_review import Review, not_taken
from ownership.plans.suggestions import decline, suggest, suggest_again, take, withdraw
from tests.support.factories import make_access, make_service, make_table

pytestmark = pytest.mark.django_db


def changed(row, **fields) -> Step:
    """The step that changes the row so."""
    before = type(row).objects.get(pk=row.pk)
    after = copy_of(before)
    for name, value in fields.items():
        setattr(after, name, value)
    return Step(before, after)


def edit(row, **fields) -> int:
    """Somebody else's edit of the row; its revision."""
    with change_set(reason="Meanwhile"):
        row.refresh_from_db()
        for name, value in fields.items():
            setattr(row, name, value)
        row.save()
    return current_head().revision


def make(user, *steps) -> Suggestion:
    [suggestion] = suggest(
        [OwnerPart(steps)], user=user, reason="So it is", revision=current_head().revision
    )
    return suggestion


@pytest.fixture
def orders(db) -> Table:
    return make_table("orders", description="Old", more_title="Old", owner=make_service("payments"))


def test_a_suggestion_writes_nothing_of_the_map_and_says_in_names_what_it_would(viewer, orders):
    bots = make_service("bots")
    suggestion = make(viewer, changed(orders, owner=bots, description="New"))
    orders.refresh_from_db()
    assert (orders.description, orders.owner.name) == ("Old", "payments")
    [step] = suggestion.steps
    assert step["changes"] == {"owner": ["payments", "bots"], "description": ["Old", "New"]}
    assert step["ids"] == {"owner": [orders.owner_id, bots.pk]}
    made = ChangeSet.objects.first()
    assert (made.source, made.user_name, made.reason) == ("suggestion", "viewer", "So it is")
    assert [entry.label for entry in entries_of([made.revision])] == ["1: orders"]


def test_taken_it_is_one_change_set_that_names_both_people_and_ends_the_suggestion(
    viewer, lead, orders
):
    suggestion = make(
        viewer,
        changed(orders, description="New"),
        Step(None, Access(table=orders, service=make_service("bots"), mode="read")),
    )
    review = Review(suggestion)
    revision = take(review, review.unasked, user=lead, reason="Yes")
    change = ChangeSet.objects.get(revision=revision)
    assert (change.user_name, change.suggested_by_id, change.suggested_by_name) == (
        "lead",
        viewer.pk,
        "viewer",
    )
    assert [entry.label for entry in entries_of([revision])] == [
        "orders",
        "bots → orders",
        "1: orders",
    ]
    suggestion = Suggestion.objects.with_answers().get()
    assert (suggestion.state, suggestion.answered_in, suggestion.answered_by) == (
        "taken",
        revision,
        "lead",
    )
    assert suggestion.answer == "Yes"
    assert Access.objects.get().service.name == "bots"


def test_what_somebody_changed_meanwhile_is_kept_unless_it_is_chosen(viewer, lead, orders):
    suggestion = make(viewer, changed(orders, description="New", more_title="New"))
    edit(orders, description="Theirs")
    review = Review(suggestion)
    assert review.unasked == {"0.more_title"}
    assert "“Old”" in review.choices["0.description"].why
    take(review, review.unasked, user=lead, reason="Yes")
    orders.refresh_from_db()
    assert (orders.description, orders.more_title) == ("Theirs", "New")


def test_a_conflict_that_is_chosen_is_written(viewer, lead, orders):
    suggestion = make(viewer, changed(orders, description="New"))
    edit(orders, description="Theirs")
    review = Review(suggestion)
    take(review, {"0.description"}, user=lead, reason="Yes")
    orders.refresh_from_db()
    assert orders.description == "New"


def test_what_is_so_already_is_left_out(viewer, orders):
    suggestion = make(viewer, changed(orders, description="New"))
    edit(orders, description="New")
    [row] = Review(suggestion).rows
    assert (row.explanation, row.choices) == (ALREADY_SO, {})


def test_a_renamed_row_is_still_the_one_that_was_meant(viewer, lead, orders):
    bots = make_service("bots")
    suggestion = make(viewer, changed(orders, owner=bots))
    edit(bots, name="robots")
    edit(orders, name="purchases")
    review = Review(suggestion)
    [preview] = review.previews(review.unasked)
    assert (preview.label, preview.changes[0].new) == ("purchases", "robots")
    take(review, review.unasked, user=lead, reason="Yes")
    orders.refresh_from_db()
    assert (orders.name, orders.owner.name) == ("purchases", "robots")


def test_a_row_that_is_gone_can_t_be_changed_and_one_to_be_deleted_is_done(viewer, orders):
    access = make_access(orders)
    other = make_access(orders)
    suggestion = make(viewer, changed(access, mode="write"), Step(other, None))
    access.delete()
    other = Access.objects.get()
    other.delete()
    assert [row.explanation for row in Review(suggestion).rows] == [GONE, ALREADY_SO]


def test_a_row_to_be_deleted_that_has_changed_is_kept_unless_it_is_chosen(viewer, lead, orders):
    access = make_access(orders)
    suggestion = make(viewer, Step(Access.objects.get(), None), changed(orders, description="New"))
    edit(access, notes="Needed")
    review = Review(suggestion)
    take(review, review.unasked, user=lead, reason="Yes")
    assert Access.objects.exists()
    orders.refresh_from_db()
    assert orders.description == "New"


def test_a_row_to_be_added_that_somebody_else_added_is_compared_field_by_field(
    viewer, lead, orders
):
    bots = make_service("bots")
    suggestion = make(
        viewer, Step(None, Access(table=orders, service=bots, mode="read", notes="Reads"))
    )
    make_access(orders, bots, mode="write", notes="Reads")
    review = Review(suggestion)
    assert list(review.choices) == ["0.mode"]
    assert review.unasked == set()
    take(review, {"0.mode"}, user=lead, reason="Yes")
    assert Access.objects.get().mode == "read"


def test_an_access_of_a_new_table_needs_that_table(viewer, lead, orders):
    table = Table(name="invoices", group=orders.group, owner=orders.owner)
    access = Access(table=table, service=orders.owner, mode="read")
    suggestion = make(viewer, Step(None, table), Step(None, access))
    with pytest.raises(Blocked, match="needs invoices"):
        take(Review(suggestion), {"1"}, user=lead, reason="Yes")
    take(Review(suggestion), {"0", "1"}, user=lead, reason="Yes")
    assert Access.objects.get().table.name == "invoices"


def test_an_access_of_a_new_table_that_somebody_else_added_goes_to_that_one(viewer, lead, orders):
    table = Table(name="invoices", group=orders.group, owner=orders.owner)
    access = Access(table=table, service=orders.owner, mode="read")
    suggestion = make(viewer, Step(None, table), Step(None, access))
    added = make_table("invoices", group=orders.group, owner=orders.owner)
    review = Review(suggestion)
    assert review.rows[0].explanation == ALREADY_SO
    take(review, review.unasked, user=lead, reason="Yes")
    assert Access.objects.get().table == added


def test_a_reference_to_what_is_gone_blocks(viewer, lead, orders):
    bots = make_service("bots")
    suggestion = make(viewer, changed(orders, owner=bots))
    bots.delete()
    with pytest.raises(Blocked, match="bots has been deleted"):
        take(Review(suggestion), {"0.owner"}, user=lead, reason="Yes")


def test_nobody_takes_their_own_and_the_database_holds_that(lead, orders):
    suggestion = make(lead, changed(orders, description="New"))
    review = Review(suggestion)
    with pytest.raises(NotApplied, match="Somebody else"):
        take(review, review.unasked, user=lead, reason="Yes")
    own = change_set(user=lead, reason="Yes", suggested_by=Person(lead.pk, "lead"))
    with pytest.raises(IntegrityError), transaction.atomic(), own:
        make_service()


def test_a_suggestion_is_answered_once(viewer, lead, orders):
    suggestion = make(viewer, changed(orders, description="New"))
    review = Review(suggestion)
    withdraw(suggestion, user=viewer, reason="No longer", revision=review.read_at)
    with pytest.raises(Stale, match="by viewer"):
        take(review, review.unasked, user=lead, reason="Yes")
    with pytest.raises(Stale):
        decline(suggestion, user=lead, reason="No", revision=review.read_at)
    orders.refresh_from_db()
    assert orders.description == "Old"


def test_a_lapsed_suggestion_is_not_taken_and_can_be_suggested_again(
    viewer, lead, orders, monkeypatch
):
    suggestion = make(viewer, changed(orders, description="New", more_title="New"))
    edit(orders, more_title="New")
    monkeypatch.setattr(
        "ownership.models.suggestions.localdate", lambda: suggestion.until.replace(year=2100)
    )
    assert list(Suggestion.objects.lapsed()) == [suggestion]
    assert not Suggestion.objects.waiting().exists()
    review = Review(suggestion)
    with pytest.raises(NotApplied, match="lapsed"):
        take(review, review.unasked, user=lead, reason="Yes")
    again = suggest_again(suggestion, viewer)
    assert (again.number, again.steps[0]["changes"]) == (2, {"description": ["Old", "New"]})


@pytest.mark.parametrize("rows", [1, 20])
def test_comparing_takes_the_same_number_of_queries_at_any_size(
    viewer, orders, rows, django_assert_num_queries
):
    steps = [changed(make_access(orders, notes="a"), notes="b") for _ in range(rows)]
    steps += [
        Step(None, Access(table=orders, service=make_service(), mode="read")) for _ in range(rows)
    ]
    suggestion = make(viewer, *steps)
    for access in Access.objects.all():
        edit(access, notes="c")
    with django_assert_num_queries(11):
        review = Review(suggestion)
        review.plan(review.choices)
        review.previews(review.unasked)


def test_leaving_a_part_out_takes_a_reason_and_only_what_has_changed_since_does_not(
    viewer, lead, orders
):
    suggestion = make(viewer, changed(orders, description="New", more_title="New"))
    review = Review(suggestion)
    with pytest.raises(NotApplied, match="leave the rest out"):
        take(review, {"0.more_title"}, user=lead, reason="Yes", rest=" ")
    edit(orders, description="Theirs")
    review = Review(suggestion)
    take(review, review.unasked, user=lead, reason="Yes")
    suggestion = Suggestion.objects.with_answers().get()
    assert suggestion.state == "in_part"
    assert suggestion.answer == "Yes\n\nNot taken: what has changed since it was suggested."


def test_a_row_that_is_gone_was_not_taken(viewer, lead, orders):
    access = make_access(orders)
    suggestion = make(viewer, changed(access, mode="write"), changed(orders, description="New"))
    access.delete()
    review = Review(suggestion)
    revision = take(review, review.unasked, user=lead, reason="Yes")
    assert Suggestion.objects.get().state == "in_part"
    [preview] = not_taken(suggestion, revision, [])
    assert (preview.label, preview.verb, preview.explanation) == (str(access), "not taken", GONE)


def test_what_waits_is_not_suggested_again_by_its_author_either(viewer, lead, orders):
    suggestion = make(viewer, changed(orders, description="New"))
    with pytest.raises(NotApplied, match="already waiting, as suggestion 1"):
        suggest_again(suggestion, viewer)
    decline(suggestion, user=lead, reason="No", revision=current_head().revision)
    suggest_again(suggestion, viewer)
    with pytest.raises(NotApplied, match="already waiting, as suggestion 2"):
        suggest_again(suggestion, viewer)


def test_what_is_so_by_now_is_not_suggested_again(viewer, orders):
    suggestion = make(viewer, changed(orders, description="New"))
    edit(orders, description="New")
    with pytest.raises(NotApplied, match="already as suggested"):
        suggest_again(suggestion, viewer)


def test_a_suggestion_is_closed_once(viewer, lead, orders):
    suggestion = make(viewer, changed(orders, description="New"))
    decline(suggestion, user=lead, reason="No", revision=current_head().revision)
    suggestion.refresh_from_db()
    with pytest.raises(NotApplied, match="was answered"):
        withdraw(suggestion, user=viewer, reason="Never mind", revision=current_head().revision)


def test_rows_of_a_kind_that_this_version_does_not_know_are_named_and_not_taken(
    viewer, lead, orders
):
    suggestion = make(viewer, changed(orders, description="New"))
    of_a_later_version = suggestion.steps[0] | {"model": "shard", "label": "one"}
    suggestion.steps.append(of_a_later_version)
    review = Review(suggestion)
    assert [row.explanation for row in review.rows] == ["", UNKNOWN]
    assert not review.is_whole(review.choices)
    assert [preview.kind for preview in review.previews(())] == ["table", "shard"]
    assert [preview.kind for preview in stored_previews(suggestion)] == ["table", "shard"]
    assert steps_in_words(suggestion.steps).endswith("\nshard one changed")
    plan, blockers = review.plan(review.choices)
    assert ([step.label for step in plan.steps], blockers) == (["orders"], [])
