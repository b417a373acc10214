"""Rights that follow the owner, when two people write at once."""

import pytest

from ownership.audit.verification import Verification
from ownership.models import Membership, Table, Team
from tests.support.admin_forms import open_form, save_form
from tests.support.factories import make_member
from tests.support.owned_map import OwnedMap, revisions
from tests.support.threads import at_once

pytestmark = pytest.mark.django_db


@pytest.mark.slow
@pytest.mark.usefixtures("committed")
def test_of_a_hand_over_and_the_former_owners_form_at_once_the_table_ends_with_the_new_owner(
    settings,
):
    """The former owner's form is checked while the table is still theirs, and written after it is not."""
    settings.RIGHTS_FOLLOW_OWNER = True
    owned = OwnedMap()
    for attempt in range(4):
        hand_back = Table.objects.get(name="accounts")
        owned.hand_over(hand_back, owned.wallet)
        ann = owned.client(owned.ann)
        form = open_form(ann, owned.accounts) | {
            "description": f"By ann, {attempt}",
            "owner": str(owned.till.pk),
        }

        def give(table=hand_back) -> None:
            owned.hand_over(Table.objects.get(pk=table.pk), owned.bot)

        at_once(give, lambda ann=ann, form=form: save_form(ann, owned.accounts, form))
        assert Table.objects.get(name="accounts").owner == owned.bot
    assert [str(finding) for finding in Verification().run()] == []


@pytest.mark.slow
@pytest.mark.usefixtures("committed")
def test_who_is_removed_from_a_team_while_saving_writes_before_that_or_not_at_all(settings):
    settings.RIGHTS_FOLLOW_OWNER = True
    owned = OwnedMap()
    member = make_member(owned.money, "leaver")
    client = owned.client(member)
    for attempt in range(4):
        membership, _ = Membership.objects.get_or_create(team=owned.money, user=member)
        form = open_form(client, owned.accounts) | {"description": f"By the leaver, {attempt}"}
        at_once(membership.delete, lambda form=form: save_form(client, owned.accounts, form))
        after = save_form(
            client, owned.accounts, form | {"description": "Later", "revision": str(revisions())}
        )
        assert after.status_code == 200
        last = Table.objects.get(name="accounts")
        if last.description == f"By the leaver, {attempt}":
            saved = Table.history.filter(id=last.pk).latest("history_id").change_set_id
            left = Membership.history.filter(id=membership.pk).latest("history_id").change_set_id
            assert saved < left
        assert last.description != "Later"
    assert Team.objects.filter(name="Money").exists()
