"""``manage.py undo REVISION``: what undoing a change set would do now, and doing it, however large it is."""

from collections import Counter

from django.core.management.base import BaseCommand, CommandError, CommandParser

from ownership.history.change_sets import change_set
from ownership.history.lock import RegistryBusy
from ownership.history.models import ChangeSet
from ownership.management.applying import add_arguments, user_named
from ownership.plans import undo

_SHOWN = 20


class Command(BaseCommand):
    """Shows the difference in numbers, conflicts and obstacles by name; writes nothing unless told to."""

    help = "Show what undoing a change set would do now. Nothing is changed without --apply."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("revision", type=int)
        add_arguments(parser, apply="undo it, as one change set")
        parser.add_argument("--conflicts", action="store_true", help="also undo what was changed again since")
        parser.add_argument("--rest", action="store_true", help="leave out what something stands in the way of")

    def handle(self, *args, **options) -> None:
        user = user_named(options)
        revision = options["revision"]
        if not 0 < revision < 2**63 or not ChangeSet.objects.filter(revision=revision).exists():
            raise CommandError(f"There is no revision {revision}.")
        if not options["apply"]:
            self._look(revision, options)
            return
        try:
            with change_set(
                user=user, reason=options["reason"], source=ChangeSet.Source.RESTORE, undoes=revision
            ) as draft:
                steps, chosen = self._look(revision, options)
                undo.apply(steps, chosen)
        except (undo.CanNotUndo, RegistryBusy) as error:
            raise CommandError(f"Nothing was changed. {error}") from error
        self.stdout.write(f"Undone, as revision {draft.revision}." if draft.revision else "Nothing was left to undo.")

    def _look(self, revision: int, options: dict) -> tuple[list[undo.Step], list[str]]:
        """Print what it would do; the steps, and the conflicts that are chosen."""
        steps = undo.plan(revision)
        conflicts = {key: f"{step.entry.label}: {why.why}" for step in steps for key, why in step.conflicts.items()}
        chosen = list(conflicts) if options["conflicts"] else []
        obstacles = undo.obstacles(steps, chosen)
        self._list(
            "Changed again since, and undone only with --conflicts:", [*conflicts.values()] if not chosen else []
        )
        self._list("In the way, and left out only with --rest:", [str(one) for one in obstacles])
        if options["rest"]:
            steps = undo.without_obstacles(steps, chosen)
        counts = Counter(step.action for step in steps if step.action and step.chosen(chosen))
        self.stdout.write(
            f"Undoing revision {revision}: {counts['delete']} deleted, {counts['restore']} brought back, "
            f"{counts['change']} changed back."
        )
        return steps, chosen

    def _list(self, title: str, lines: list[str]) -> None:
        if lines:
            more = [f"… and {len(lines) - _SHOWN} more"] if len(lines) > _SHOWN else []
            self.stdout.write("\n  ".join([title, *lines[:_SHOWN], *more]))
