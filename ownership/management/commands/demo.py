"""``manage.py demo``: invented edits, so that history pages have something to show."""

from django.conf import settings
from django.contrib.auth.models import Group, User
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from ownership.history.change_sets import change_set
from ownership.history.models import ChangeSet
from ownership.models import Access, Mode, SecondaryIndex, Service, Table
from ownership.models.roles import TEAM_LEADS

MARK = "demo-lead"


class Command(BaseCommand):
    """Writes a handful of change sets by two invented leads on top of the seed. Development only."""

    help = "Add some invented edits by invented users on top of the seed (development only)."

    def handle(self, *args, **options) -> None:
        if not settings.DEBUG:
            raise CommandError("The demo invents history, which can't be taken back: it runs with DEBUG=1 only.")
        if ChangeSet.objects.filter(user_name=MARK).exists():
            self.stdout.write("The demo's edits are there already.")
            return
        call_command("first_administrator", stdout=self.stdout)  # once the demo's people are there, it makes none
        leads = Group.objects.get(name=TEAM_LEADS)
        people = [User.objects.get_or_create(username=name)[0] for name in (MARK, "demo-oncall")]
        for person in people:
            person.groups.add(leads)
        edits = [
            (people[0], "payments only reads user records since the pricing rewrite", self.narrow_access),
            (people[1], "bots takes over member records", self.hand_over),
            (people[0], "Stated the key types, as the console shows them", self.state_key_types),
            (people[1], "btx reads teams no more: the investment impact was dropped", self.drop_access),
            (people[0], "Contacts for the on-call list", self.add_contacts),
        ]
        for person, reason, edit in edits:
            with change_set(user=person, reason=reason, source=ChangeSet.Source.ADMIN):
                edit()
        self.stdout.write(
            f"Wrote {len(edits)} change sets. Look at the history of biztechUsers and biztechMembers2026."
        )

    def narrow_access(self) -> None:
        access = Access.objects.get_by_natural_key("biztechUsers", "payments")
        access.mode, access.notes = Mode.READ, "Reads isMember for pricing tier"
        access.save()

    def hand_over(self) -> None:
        table = Table.objects.get_by_natural_key("biztechMembers2026")
        table.owner = Service.objects.get_by_natural_key("bots")
        table.save()

    def state_key_types(self) -> None:
        for name in ("biztechUsers", "biztechEvents"):
            table = Table.objects.get_by_natural_key(name)
            table.partition_key_type = "S"
            table.save()
        index = SecondaryIndex.objects.get_by_natural_key("biztechRegistrations", "event-query")
        index.partition_key_name, index.partition_key_type = "eventID;year", "S"
        index.save()

    def drop_access(self) -> None:
        Access.objects.get_by_natural_key("biztechTeams", "btx").delete()

    def add_contacts(self) -> None:
        for name in ("payments", "users", "members"):
            service = Service.objects.get_by_natural_key(name)
            service.contact = f"#{name}-oncall"
            service.save()
