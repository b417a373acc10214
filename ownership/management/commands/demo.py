"""``manage.py demo``: sample edits, so that the history pages have something to show."""

from django.conf import settings
from django.contrib.auth.models import Group, User
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from ownership.history.change_sets import change_set
from ownership.history.models import ChangeSet, current_head
from ownership.models import Access, Mode, SecondaryIndex, Service, Table
from ownership.models.rights import TEAM_LEADS
from ownership.plans.confirming import confirm

LEAD = "demo-lead"
ON_CALL = "demo-oncall"


class Command(BaseCommand):
    """Writes a few change sets by two sample users on top of the seed. Development only."""

    help = "Add sample edits by two sample users on top of the seed (development only)."

    def handle(self, *args, **options) -> None:
        if not settings.DEBUG:
            raise CommandError(
                "The demo writes sample history, which can't be removed: it runs with DEBUG=1 only."
            )
        if ChangeSet.objects.filter(user_name=LEAD).exists():
            self.stdout.write("The sample edits are already there.")
            return
        # Once there are users, this command creates no administrator any more.
        call_command("first_administrator", stdout=self.stdout)
        lead, on_call = self.user(LEAD), self.user(ON_CALL)
        edits = [
            (
                lead,
                "payments only reads user records since the pricing rewrite",
                self.narrow_access,
            ),
            (on_call, "bots takes over member records", self.hand_over),
            (lead, "Add key types, as the console shows them", self.add_key_types),
            (
                on_call,
                "btx no longer reads teams: the investment impact was dropped",
                self.remove_access,
            ),
            (lead, "Add on-call contacts", self.add_contacts),
        ]
        for user, reason, edit in edits:
            with change_set(user=user, reason=reason, source=ChangeSet.Source.ADMIN):
                edit()
        self.confirm_core_tables(lead)
        number = len(edits) + 1
        self.stdout.write(
            f"Wrote {number} change sets. See the history of biztechUsers and biztechMembers2026."
        )

    def user(self, name: str) -> User:
        """A team lead of that name, who can't sign in because there is no password."""
        user, _ = User.objects.get_or_create(username=name)
        user.groups.add(Group.objects.get(name=TEAM_LEADS))
        return user

    def confirm_core_tables(self, user: User) -> None:
        tables = Table.objects.filter(group__name="Core Tables").values_list("pk", flat=True)
        confirm(list(tables), current_head().revision, user=user, reason="Checked with the teams")

    def narrow_access(self) -> None:
        access = Access.objects.get_by_natural_key("biztechUsers", "payments")
        access.mode = Mode.READ
        access.notes = "Reads isMember for pricing tier"
        access.save()

    def hand_over(self) -> None:
        table = Table.objects.get_by_natural_key("biztechMembers2026")
        table.owner = Service.objects.get_by_natural_key("bots")
        table.save()

    def add_key_types(self) -> None:
        for name in ("biztechUsers", "biztechEvents"):
            table = Table.objects.get_by_natural_key(name)
            table.partition_key_type = "S"
            table.save()
        index = SecondaryIndex.objects.get_by_natural_key("biztechRegistrations", "event-query")
        index.partition_key_name = "eventID;year"
        index.partition_key_type = "S"
        index.save()

    def remove_access(self) -> None:
        Access.objects.get_by_natural_key("biztechTeams", "btx").delete()

    def add_contacts(self) -> None:
        for name in ("payments", "users", "members"):
            service = Service.objects.get_by_natural_key(name)
            service.contact = f"#{name}-oncall"
            service.save()
