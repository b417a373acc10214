"""A small map of two teams, for tests of rights that follow the owner."""

from django.contrib.auth.models import User
from django.test import Client

from ownership.history.change_sets import change_set
from ownership.history.models import ChangeSet
from ownership.models import Service, Table
from tests.support.factories import make_access, make_member, make_service, make_table, make_team


def revisions() -> int:
    """How many change sets there are."""
    return ChangeSet.objects.count()


class OwnedMap:
    """Money owns wallet and, through wallet, its part till; Bots owns bot; nobody owns spare."""

    def __init__(self) -> None:
        self.money, self.bots = make_team("Money", contact="#money"), make_team("Bots")
        self.ann = make_member(self.money, "ann", is_lead=True)
        self.ben = make_member(self.bots, "ben", is_lead=True)
        self.member = make_member(self.money, "member")
        self.root = User.objects.create_superuser("root")
        self.wallet = make_service("wallet", team=self.money)
        self.till = make_service("till", part_of=self.wallet)
        self.bot = make_service("bot", team=self.bots)
        self.spare = make_service("spare")
        self.accounts = make_table("accounts", owner=self.wallet)
        self.receipts = make_table("receipts", owner=self.till)
        self.replies = make_table("replies", owner=self.bot)
        self.loose = make_table("loose", owner=self.spare)
        self.used = make_access(self.replies, self.wallet)
        self.use_of_bot = make_access(self.accounts, self.bot)

    def hand_over(self, table: Table, owner: Service) -> None:
        """Give a table to another service, as an administrator."""
        with change_set(user=self.root, reason="Agreed", source="admin"):
            table.owner = owner
            table.save()

    @staticmethod
    def client(user: User) -> Client:
        """A browser in which the person is signed in."""
        client = Client()
        client.force_login(user)
        return client
