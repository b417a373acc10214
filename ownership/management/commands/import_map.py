"""``manage.py import_map FILE``: compare a map that came back as a file with the registry, and apply what differs."""

from collections.abc import Callable
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import InterfaceError, OperationalError
from django.template.defaultfilters import pluralize

from ownership.exchange.imports.formats import UnreadableFile, read
from ownership.exchange.imports.plan import NotApplied, Plan, compare
from ownership.exchange.imports.statements import KINDS, in_a_line
from ownership.history.lock import RegistryBusy
from ownership.management.applying import add_arguments, user_named

ON_A_TERMINAL = 200  # changes that are told there; nobody reads a hundred thousand
CLEAR = "\r\x1b[K"  # what stands in a terminal's line


class Command(BaseCommand):
    """Shows the difference row by row; writes nothing unless told to."""

    help = (
        "Compare a file (Markdown or CSV as the exports write them, or the original document's text) with the "
        "registry, row by row. Nothing is changed without --apply, and nothing deleted without --prune."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        add_arguments(parser, apply="make the changes, as one change set")
        parser.add_argument("--prune", action="store_true", help="delete what the file could tell of and does not")

    def handle(self, *args, **options) -> None:
        user = user_named(options)
        try:
            stated = read(options["file"])
        except UnreadableFile as error:
            raise CommandError(str(error)) from error
        plan = compare(stated, prune=options["prune"])
        for number, line in stated.ignored:
            self.stdout.write(f"Not understood, and left out: line {number}: {in_a_line(line[:100])}")
        if plan.problems:
            raise CommandError("\n".join([*plan.problems, "Nothing was changed."]))
        shown = plan.changes[:ON_A_TERMINAL] if self.stdout.isatty() else plan.changes
        for change in shown:
            self.stdout.write(str(change))
        if left_out := len(plan.changes) - len(shown):
            self.stdout.write(f"… and {left_out:,} more: a file or a pipe gets all lines.")
        self.stdout.write(self._summary(plan, options["prune"]))
        if options["apply"] and plan.changes:
            try:
                revision = plan.apply(user=user, reason=options["reason"], written=self._progress(len(plan.changes)))
            except (NotApplied, RegistryBusy) as error:
                raise CommandError(f"Nothing was applied. {error}") from error
            except (KeyboardInterrupt, OperationalError, InterfaceError) as error:
                # Perhaps during the commit: then nobody here knows.
                raise CommandError(
                    f"{str(error).strip() or 'Interrupted'}: all was applied or, more likely, nothing. Run it without "
                    "--apply to see which."
                ) from error
            finally:
                self._on_terminal(CLEAR)
            self.stdout.write(f"Applied as revision {revision}.")

    def _progress(self, total: int) -> Callable[[int], None]:
        """Tells a terminal how far it is, in a line that goes when it is done; says nothing to a file or a pipe."""
        done = 0

        def written(number: int) -> None:
            nonlocal done
            done += number
            share = 30 * done // total
            self._on_terminal(f"\r[{'#' * share:30}] {done:,} of {total:,} rows{CLEAR if done == total else ''}")

        return written

    def _on_terminal(self, words: str) -> None:
        if self.stderr.isatty():
            self.stderr.write(words, style_func=str, ending="")  # str: not in the colour of errors
            self.stderr.flush()

    def _summary(self, plan: Plan, prune: bool) -> str:
        verbs = {verb: sum(change.verb == verb for change in plan.changes) for verb in ("create", "change", "delete")}
        said = f"Compared with revision {plan.head[0]}: " + (
            ", ".join(f"{number} to {verb}" for verb, number in verbs.items()) if plan.changes else "no difference"
        )
        if plan.kept and not prune:
            rows = ", ".join(_counted(plan.kept[kind], kind) for kind in KINDS if kind in plan.kept)
            said += f". Not in the file, and kept: {rows} (--prune would delete them)"
        return f"{said}."


def _counted(number: int, kind: str) -> str:
    """1 table, 2 accesses."""
    return f"{number} {kind}{pluralize(number, 'es' if kind[-1] in 'sx' else 's')}"
