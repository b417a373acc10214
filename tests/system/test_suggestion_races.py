"""Several people at one suggestion at once, with real threads and commits: it is answered once, and wholly."""

from functools import partial

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client

from ownership.audit.verification import Verification
from ownership.history.models import ChangeSet
from ownership.models import Suggestion, Table
from ownership.models.rights import TEAM_LEADS, VIEWERS
from tests.support.admin_forms import form_of, open_form, save_form
from tests.support.factories import make_suggestion, make_table
from tests.support.threads import at_once

pytestmark = pytest.mark.usefixtures("committed")

ROUNDS = [1, pytest.param(15, marks=pytest.mark.slow)]


def signed_in(name: str, group: str = TEAM_LEADS) -> Client:
    client = Client(raise_request_exception=False)
    account = User.objects.create_user(name)
    account.groups.add(Group.objects.get(name=group))
    client.force_login(account)
    return client


def taking(client: Client, suggestion: Suggestion, *keys: str) -> partial:
    """Pressing the button of a page that is open already."""
    url = suggestion.get_absolute_url()
    fingerprint = form_of(client.get(url))["fingerprint"]
    fields = {"fingerprint": fingerprint, "reason": "Yes", "take": list(keys), "act": "take"}
    return partial(client.post, url, fields)


def withdrawing(client: Client, suggestion: Suggestion) -> partial:
    return partial(client.post, suggestion.get_absolute_url(), {"act": "withdraw"})


def statuses(results: list) -> list:
    return [getattr(result, "status_code", result) for result in results]


def assert_whole() -> None:
    revisions = list(ChangeSet.objects.order_by("revision").values_list("revision", flat=True))
    assert revisions == list(range(1, len(revisions) + 1))
    assert [str(finding) for finding in Verification().run()] == []


@pytest.mark.slow
@pytest.mark.parametrize("rounds", ROUNDS)
def test_of_two_leads_who_take_the_same_suggestion_one_does(rounds):
    table = make_table("orders", description="0", more_title="0")
    leads = [signed_in("ann"), signed_in("ben")]
    for number in range(1, rounds + 1):
        suggestion = make_suggestion(table, description=f"{number}", more_title=f"{number}")
        results = at_once(
            *[taking(lead, suggestion, "0.description", "0.more_title") for lead in leads]
        )
        # Who came second is told that it was answered, or that something has changed.
        assert statuses(results).count(302) == 1
        table.refresh_from_db()
        assert (table.description, table.more_title) == (f"{number}", f"{number}")
        assert ChangeSet.objects.filter(reason="Yes").count() == number
    assert_whole()


@pytest.mark.slow
@pytest.mark.parametrize("rounds", ROUNDS)
def test_taking_and_editing_at_once_loses_neither_and_overwrites_nothing_unasked(rounds):
    table = make_table("orders", description="0")
    ann, ben = signed_in("ann"), signed_in("ben")
    for number in range(1, rounds + 1):
        suggestion = make_suggestion(
            table, description=f"suggested {number}", more_title=f"{number}"
        )
        form = open_form(ben, table) | {"description": f"ben {number}"}
        take = taking(ann, suggestion, "0.description", "0.more_title")
        results = at_once(take, partial(save_form, ben, table, form, f"ben {number}"))
        taken, saved = statuses(results)
        row = Table.objects.get()
        state = Suggestion.objects.get(pk=suggestion.pk).state
        if taken == 302:
            # Ben's form came back with the conflict.
            assert (state, saved, row.description) == ("taken", 200, f"suggested {number}")
            assert row.more_title == f"{number}"
        else:
            assert (state, taken, saved, row.description) == ("open", 409, 302, f"ben {number}")
            assert row.more_title != f"{number}"
    assert_whole()


@pytest.mark.parametrize("rounds", ROUNDS)
def test_a_suggestion_is_withdrawn_or_taken_and_never_both(rounds):
    table = make_table("orders", description="0")
    lead, author = signed_in("ann"), signed_in("vera", VIEWERS)
    vera = User.objects.get(username="vera")
    for number in range(1, rounds + 1):
        before = Table.objects.get().description
        suggestion = make_suggestion(table, vera, description=f"{number}")
        at_once(taking(lead, suggestion, "0.description"), withdrawing(author, suggestion))
        state = Suggestion.objects.get(pk=suggestion.pk).state
        wanted = {"taken": f"{number}", "withdrawn": before}
        assert Table.objects.get().description == wanted[state]
        assert ChangeSet.objects.filter(source="suggestion").count() == 2 * number
    assert_whole()
