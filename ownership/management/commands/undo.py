"""``manage.py undo REVISION``: preview undoing a change set, and undo it, however large it is."""

from collections import Counter

from django.core.management.base import BaseCommand, CommandError, CommandParser

from ownership.history.lock import RegistryBusy
from ownership.history.models import CHANGED, CREATED, DELETED, ChangeSet
from ownership.management.applying import add_arguments, user_named
from ownership.plans.plan import NotApplied, Plan, Stale
from ownership.plans.undo import Undo

_SHOWN = 20  # conflicts, and blockers


class Command(BaseCommand):
    """Shows how many entries it would undo, and names conflicts and blockers; writes only with ``--apply``."""

    help = "Show what undoing a change set would do now. Nothing is changed without --apply."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("revision", type=int)
        add_arguments(parser, apply="undo it, as one change set")
        parser.add_argument(
            "--conflicts",
            action="store_true",
            help="also undo what has been changed again since",
        )
        parser.add_argument(
            "--rest", action="store_true", help="skip what is blocked and undo the rest"
        )

    def handle(self, *args, **options) -> None:
        user = user_named(options)
        revision = options["revision"]
        if not 0 < revision < 2**63 or not ChangeSet.objects.filter(revision=revision).exists():
            raise CommandError(f"There is no revision {revision}.")
        undo = Undo(revision)
        plan = self._preview(
            undo, every_conflict=options["conflicts"], skip_blocked=options["rest"]
        )
        if not options["apply"]:
            return
        try:
            undone = plan.apply(
                user=user,
                reason=options["reason"],
                source=ChangeSet.Source.RESTORE,
                undoes=revision,
            )
        except Stale as error:
            raise CommandError(f"Nothing was changed. {error} Run the command again.") from error
        except (NotApplied, RegistryBusy) as error:
            raise CommandError(f"Nothing was changed. {error}") from error
        self.stdout.write(f"Undone (revision {undone})." if undone else "Nothing was left to undo.")

    def _preview(self, undo: Undo, *, every_conflict: bool, skip_blocked: bool) -> Plan:
        """Print what undoing would do; the plan to do it."""
        if every_conflict:
            plan = undo.plan(undo.conflicts)
        else:
            plan = undo.plan()
            lines = []
            for row in undo.rows:
                for conflict in row.conflicts.values():
                    lines.append(f"{row.entry.label}: {conflict.why}")
            self._list("Changed again since; undone only with --conflicts:", lines)
        self._list(
            "Blocked; skipped only with --rest:",
            [str(blocker) for blocker in plan.blockers],
        )
        if skip_blocked:
            plan = plan.without_blocked()
        counts = Counter(step.history_type for step in plan.steps)
        self.stdout.write(
            f"Undoing revision {undo.revision}: {counts[DELETED]} deleted, "
            f"{counts[CREATED]} restored, {counts[CHANGED]} reverted."
        )
        return plan

    def _list(self, title: str, lines: list[str]) -> None:
        if not lines:
            return
        self.stdout.write(title)
        for line in lines[:_SHOWN]:
            self.stdout.write(f"  {line}")
        if len(lines) > _SHOWN:
            self.stdout.write(f"  … and {len(lines) - _SHOWN} more")
