"""Who is asked for a suggestion, and who may take it if rights follow the owner: each state is right for one of two."""

import pytest
from django.contrib.auth.models import User

from ownership.history.models import current_head
from ownership.models import Membership, Service, Suggestion, Table, Team
from ownership.plans.division import parts_by_owner
from ownership.plans.plan import Blocked, NotApplied
from ownership.plans.steps import Step, copy_of
from ownership.plans.suggestion_review import Review
from ownership.plans.suggestions import (
    may_answer,
    pass_on,
    suggest,
    suggest_again,
    take,
    teams_asked,
    withdraw,
)
from tests.support.factories import (
    make_access,
    make_member,
    make_service,
    make_suggestion,
    make_table,
    make_team,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def people(settings) -> dict[str, User]:
    """Ann and Abe of team A, which owns orders; Ben of team B; Eve of none. All are team leads."""
    settings.RIGHTS_FOLLOW_OWNER = True
    alpha, beta = make_team("A", contact="#a"), make_team("B", contact="#b")
    make_table("orders", owner=make_service("payments", team=alpha), description="Old")
    make_service("bots", team=beta)
    make_table("free", owner=make_service("nobody"))
    made = {name: make_member(alpha, name) for name in ("ann", "abe")}
    made["ben"] = make_member(beta, "ben")
    made["eve"] = User.objects.create_user("eve")
    made["eve"].groups.set(made["ben"].groups.all())
    return made


def suggested(user: User, **fields) -> Suggestion:
    before = Table.objects.select_related("owner", "group").get(name="orders")
    after = copy_of(before)
    for name, value in fields.items():
        setattr(after, name, value)
    parts = parts_by_owner([Step(before, after)], user)
    [suggestion] = suggest(parts, user=user, reason="So it is", revision=current_head().revision)
    return suggestion


def taken(suggestion: Suggestion, user: User) -> int | None:
    review = Review(suggestion)
    return take(review, review.unasked, user=user, reason="Yes")


def passed_on(suggestion: Suggestion, user: User) -> list[Suggestion]:
    review = Review(suggestion)
    return pass_on(review, review.unasked, user=user, reason="We agree")


def answers(suggestion: Suggestion, people: dict[str, User]) -> set[str]:
    return {name for name, user in people.items() if may_answer(user, suggestion)}


def waits_for(suggestion: Suggestion, people: dict[str, User]) -> set[str]:
    return {
        name for name, user in people.items() if suggestion in Suggestion.objects.waiting_for(user)
    }


def owner() -> str:
    return Table.objects.get(name="orders").owner.name


def test_a_change_waits_for_the_team_that_owns_the_table_and_is_theirs_to_take(people, viewer):
    suggestion = suggested(viewer, description="New")
    assert answers(suggestion, people) == waits_for(suggestion, people) == {"ann", "abe"}
    with pytest.raises(Blocked, match=r"belongs to A \(#a\): only its members"):
        taken(suggestion, people["ben"])
    assert taken(suggestion, people["ann"])


def test_a_table_handed_over_meanwhile_is_the_new_teams_to_answer_for(people, viewer):
    suggestion = suggested(viewer, description="New")
    table = Table.objects.get(name="orders")
    table.owner = Service.objects.get(name="bots")
    table.save()
    assert answers(suggestion, people) == waits_for(suggestion, people) == {"ben"}


def test_a_hand_over_asks_the_receiving_team_which_agrees(people):
    suggestion = suggested(people["ann"], owner=Service.objects.get(name="bots"))
    assert suggestion.kind == "hand_over"
    assert answers(suggestion, people) == waits_for(suggestion, people) == {"ben"}
    with pytest.raises(Blocked, match=r"would belong to B \(#b\), which must agree"):
        # Of the same team as Ann: neither of the two is in the other team.
        taken(suggestion, people["abe"])
    taken(suggestion, people["ben"])
    assert owner() == "bots"


def test_a_team_asks_for_a_table_and_its_owners_give_it(people):
    suggestion = suggested(people["ben"], owner=Service.objects.get(name="bots"))
    assert suggestion.kind == "change"
    assert waits_for(suggestion, people) == {"ann", "abe"}
    taken(suggestion, people["ann"])
    assert owner() == "bots"


def test_nobody_gives_a_table_because_a_stranger_to_both_teams_said_so(people, viewer):
    suggestion = suggested(viewer, owner=Service.objects.get(name="bots"))
    for name in ("ann", "ben", "eve"):
        with pytest.raises(Blocked):
            taken(suggestion, people[name])
    assert owner() == "payments"


@pytest.mark.slow
def test_a_second_account_agrees_to_nothing_that_its_owner_may_not_write(people, viewer):
    # Ben of B, with accounts in no team, and one in A with a role that edits nothing.
    Membership.objects.create(team=Team.objects.get(name="A"), user=viewer)
    bots, payments = Service.objects.get(name="bots"), Service.objects.get(name="payments")
    taking: list[tuple[Table | Service, dict]] = [
        (Table.objects.get(name="orders"), {"owner": bots}),
        (payments, {"team": Team.objects.get(name="B")}),
        (payments, {"part_of": bots}),
    ]
    for row, fields in taking:
        for account in (people["eve"], viewer):
            suggestion = make_suggestion(row, account, **fields)
            head = current_head()
            assert "ben" not in answers(suggestion, people)
            with pytest.raises(NotApplied):
                taken(suggestion, people["ben"])
            with pytest.raises(NotApplied):
                passed_on(suggestion, people["ben"])
            with pytest.raises(NotApplied):
                taken(suggestion, account)
            assert current_head() == head


def test_a_hand_over_suggested_by_a_stranger_to_both_teams_is_agreed_to_by_both(people, viewer):
    suggestion = suggested(viewer, owner=Service.objects.get(name="bots"), description="New")
    [hand_over] = passed_on(suggestion, people["ann"])
    suggestion.refresh_from_db()
    assert (suggestion.state, owner()) == ("passed_on", "payments")
    assert (hand_over.kind, hand_over.user_name) == ("hand_over", "ann")
    assert hand_over.reason == "We agree (Suggestion 1, by viewer.)"
    assert waits_for(hand_over, people) == {"ben"}
    taken(hand_over, people["ben"])
    assert owner() == "bots"
    assert Table.objects.get(name="orders").description == "New"


@pytest.mark.slow
def test_a_service_goes_to_another_team_if_that_team_agrees(people, viewer):
    beta = Team.objects.get(name="B")
    for name in ("ann", "viewer"):
        payments = Service.objects.get(name="payments")
        moved = copy_of(payments)
        moved.team = beta
        by = people.get(name, viewer)
        parts = parts_by_owner([Step(payments, moved)], by)
        [suggestion] = suggest(parts, user=by, reason="So", revision=current_head().revision)
        if name == "viewer":
            assert waits_for(suggestion, people) == answers(suggestion, people) == {"ann", "abe"}
            [suggestion] = passed_on(suggestion, people["ann"])
        assert waits_for(suggestion, people) == answers(suggestion, people) == {"ben"}
        assert teams_asked([suggestion]) == {suggestion.pk: [beta]}
        assert suggestion in Suggestion.objects.about_service(payments.pk)
        withdraw(suggestion, user=people["ann"], reason="Wait", revision=current_head().revision)
        suggestion = suggest_again(suggestion, people["ann"])
        assert waits_for(suggestion, people) == {"ben"}
        with pytest.raises(Blocked, match=r"would belong to B \(#b\), which must agree"):
            taken(suggestion, people["abe"])
        taken(suggestion, people["ben"])
        assert Service.objects.get(name="payments").team == beta
        payments.save()


def test_what_was_answered_meanwhile_is_not_passed_on(people, viewer):
    suggestion = suggested(viewer, owner=Service.objects.get(name="bots"))
    review = Review(suggestion)
    withdraw(suggestion, user=viewer, reason="Mistaken", revision=current_head().revision)
    with pytest.raises(NotApplied, match="was answered"):
        pass_on(review, review.unasked, user=people["ann"], reason="We agree")
    assert Suggestion.objects.count() == 1


def test_only_hand_overs_by_those_who_may_give_are_passed_on(people, viewer, settings):
    bots = Service.objects.get(name="bots")
    cases = [
        (suggested(viewer, description="New"), "ann"),  # nobody else need agree
        (suggested(viewer, owner=bots), "ben"),  # who would get it, and may not give it
    ]
    for suggestion, name in cases:
        with pytest.raises(NotApplied, match="Select only what hands tables over"):
            passed_on(suggestion, people[name])
    with pytest.raises(NotApplied, match="Somebody else"):
        passed_on(suggested(people["ann"], owner=bots), people["ann"])
    settings.RIGHTS_FOLLOW_OWNER = False
    with pytest.raises(NotApplied, match="Select only what hands tables over"):
        passed_on(cases[1][0], people["ann"])
    assert not Suggestion.objects.exclude(state="open").exists()


def test_a_suggestion_says_which_teams_it_waits_for(people, viewer):
    bots = Service.objects.get(name="bots")
    change = suggested(viewer, owner=bots)
    hand_over = suggested(people["ann"], owner=bots)
    free = make_suggestion(Table.objects.get(name="free"), viewer)
    asked = teams_asked([change, hand_over, free])
    assert [list(map(str, asked[row.pk])) for row in (change, hand_over, free)] == [
        ["A"],
        ["B"],
        [],
    ]


def test_a_suggestion_of_somebody_who_left_the_team_gives_nothing_away(people):
    suggestion = suggested(people["ann"], owner=Service.objects.get(name="bots"))
    people["ann"].memberships.get().delete()
    with pytest.raises(Blocked, match="belongs to A"):
        taken(suggestion, people["ben"])
    assert owner() == "payments"


def test_what_no_team_is_answerable_for_waits_for_every_lead(people, viewer):
    suggestion = make_suggestion(Table.objects.get(name="free"), viewer)
    assert waits_for(suggestion, people) == answers(suggestion, people) == set(people)


def test_without_the_setting_every_lead_may_take_and_the_owners_are_asked(people, viewer, settings):
    settings.RIGHTS_FOLLOW_OWNER = False
    suggestion = suggested(viewer, owner=Service.objects.get(name="bots"))
    assert suggestion.kind == "change"
    assert waits_for(suggestion, people) == {"ann", "abe"}
    assert answers(suggestion, people) == set(people)


def test_tables_handed_over_together_are_one_request_with_their_accesses(people):
    orders, bots = Table.objects.get(name="orders"), Service.objects.get(name="bots")
    access = make_access(orders, orders.owner)
    bills = make_table("bills", owner=orders.owner)
    steps = []
    for table in (orders, bills):
        before = Table.objects.get(pk=table.pk)
        after = copy_of(before)
        after.owner = bots
        steps.append(Step(before, after))
    moved = copy_of(access)
    moved.service = bots
    [part] = parts_by_owner([*steps, Step(access, moved)], people["ann"])
    assert (part.kind, len(part.steps)) == ("hand_over", 3)


@pytest.mark.slow
@pytest.mark.parametrize("number", [1, 15])
def test_who_is_asked_takes_a_fixed_number_of_queries(
    people, viewer, number, django_assert_num_queries
):
    for _ in range(number):
        make_suggestion(make_table(owner=make_service(team=make_team())), viewer)
    ann = User.objects.get(username="ann")
    assert ann.has_perm("ownership.change_table")
    with django_assert_num_queries(3):
        list(Suggestion.objects.waiting_for(ann))
    suggestion = Suggestion.objects.first()
    with django_assert_num_queries(4):
        may_answer(ann, suggestion)
    rows = list(Suggestion.objects.all())
    with django_assert_num_queries(4):
        assert all(teams_asked(rows).values())
