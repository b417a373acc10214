"""``manage.py import_map FILE``: compare a map that came back as a file with the registry, and apply what differs."""

from collections import Counter
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import InterfaceError, OperationalError
from django.template.defaultfilters import pluralize

from ownership.exchange.imports.formats import UnreadableFile, read
from ownership.exchange.imports.import_plan import ImportPlan, plan_import
from ownership.exchange.imports.statements import (
    KINDS,
    FilePlace,
    describe_place,
    on_one_line,
)
from ownership.history.bulk import Progress
from ownership.history.lock import RegistryBusy
from ownership.history.models import CHANGED, CREATED, DELETED, ChangeSet
from ownership.management.applying import add_arguments, user_named
from ownership.plans.plan import NotApplied, Stale
from ownership.plans.steps import Step

ON_A_TERMINAL = 200  # differences that a terminal gets; nobody reads a hundred thousand
CLEAR = "\r\x1b[K"  # clears the terminal's line
IMPERATIVES = {CREATED: "create", CHANGED: "change", DELETED: "delete"}


class Command(BaseCommand):
    """Shows the difference row by row; writes only with ``--apply``."""

    help = (
        "Compare a file (JSON, YAML, CSV, .xlsx or Markdown) with the registry, row by row. "
        "Nothing is changed without --apply, and nothing deleted without --prune."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        add_arguments(parser, apply="make the changes, as one change set")
        parser.add_argument(
            "--prune",
            action="store_true",
            help="delete rows that are missing from the file, of the kinds that it can list",
        )

    def handle(self, *args, **options) -> None:
        user = user_named(options)
        try:
            statements = read(options["file"])
        except UnreadableFile as error:
            raise CommandError(str(error)) from error
        planned = plan_import(statements, prune=options["prune"])
        for remark in statements.remarks:
            self.stdout.write(on_one_line(remark))
        for number, line in statements.ignored:
            self.stdout.write(
                f"Not understood and ignored: line {number}: {on_one_line(line[:100])}"
            )
        if planned.problems:
            raise CommandError("\n".join([*planned.problems, "Nothing was changed."]))
        self._preview(planned)
        self.stdout.write(_summary(planned, len(statements.ignored), pruned=options["prune"]))
        if options["apply"] and planned.plan.steps:
            revision = self._apply(planned, user=user, reason=options["reason"])
            self.stdout.write(f"Applied as revision {revision}.")

    def _preview(self, planned: ImportPlan) -> None:
        steps = planned.plan.steps
        shown = steps[:ON_A_TERMINAL] if self.stdout.isatty() else steps
        for step in shown:
            self.stdout.write(_in_words(step, planned.places.get(step)))
        if len(steps) > len(shown):
            self.stdout.write(
                f"… and {len(steps) - len(shown):,} more: a file or pipe gets all lines."
            )

    def _apply(self, planned: ImportPlan, **who_and_why) -> int | None:
        progress = self._progress(len(planned.plan.steps))
        try:
            return planned.plan.apply(
                **who_and_why, source=ChangeSet.Source.IMPORT, report=progress
            )
        except Stale as error:
            raise CommandError(
                f"Nothing was applied. {error} Run the command again to see what is left."
            ) from error
        except (NotApplied, RegistryBusy) as error:
            raise CommandError(f"Nothing was applied. {error}") from error
        except (KeyboardInterrupt, OperationalError, InterfaceError) as error:
            # Perhaps during the commit: then nobody knows here whether it was made.
            why = str(error).strip() or "Interrupted"
            raise CommandError(
                f"{why}: either everything was applied or, more likely, nothing. Run it without --apply to see which."
            ) from error
        finally:
            self._on_terminal(CLEAR)

    def _progress(self, total: int) -> Progress:
        """Shows a terminal how far the import is, in a line that is cleared at the end."""
        done = 0

        def report(rows: int) -> None:
            nonlocal done
            done += rows
            bar = "#" * (30 * done // total)
            end = CLEAR if done == total else ""
            self._on_terminal(f"\r[{bar:30}] {done:,} of {total:,} rows{end}")

        return report

    def _on_terminal(self, words: str) -> None:
        if self.stderr.isatty():
            self.stderr.write(words, style_func=str, ending="")  # str: not in the colour of errors
            self.stderr.flush()


def _in_words(step: Step, place: FilePlace | None) -> str:
    """``change access members → biztechUsers (line 42): mode Write → Read``."""
    preview = step.preview()
    changes = []
    for change in preview.changes:
        old, new = change.old or "nothing", change.new or "nothing"
        changes.append(
            f"{change.field} {old} → {new}"
            if step.history_type == CHANGED
            else f"{change.field} {new}"
        )
    line = f"{IMPERATIVES[step.history_type]} {preview.kind} {preview.label}"
    if place is not None:
        line += f" ({describe_place(place)})"
    if changes and step.history_type != DELETED:
        line += f": {'; '.join(changes)}"
    return on_one_line(line)


def _summary(planned: ImportPlan, ignored: int, *, pruned: bool) -> str:
    """How many rows differ, and how many are not in the file; ``ignored`` are the lines that were not understood."""
    counts = Counter(step.history_type for step in planned.plan.steps)
    differences = "no difference"
    if ignored:
        differences += f", except for {ignored} ignored line{pluralize(ignored)}"
    if counts:
        differences = ", ".join(
            f"{counts[history_type]} to {verb}" for history_type, verb in IMPERATIVES.items()
        )
    summary = f"Compared with revision {planned.plan.revision}: {differences}."
    if planned.kept and not pruned:
        rows = ", ".join(
            _counted(planned.kept[kind], kind) for kind in KINDS if kind in planned.kept
        )
        summary += f" Not in the file, and kept: {rows} (--prune would delete them)."
    return summary


def _counted(number: int, kind: str) -> str:
    """1 table, 2 accesses."""
    return f"{number} {kind}{pluralize(number, 'es' if kind[-1] in 'sx' else 's')}"
