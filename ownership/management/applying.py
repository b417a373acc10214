"""What commands share that preview a change and make it only with ``--apply``."""

from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import CommandError, CommandParser


def add_arguments(parser: CommandParser, apply: str) -> None:
    """Add ``--apply``, with that help text, ``--reason`` and ``--user``."""
    parser.add_argument("--apply", action="store_true", help=apply)
    parser.add_argument("--reason", default="", help="why; required with --apply")
    parser.add_argument(
        "--user",
        metavar="NAME",
        help="the account to change it as (default: the system's user)",
    )


def user_named(options: dict[str, Any]) -> User | None:
    """The account to change it as; None for the system's user.

    CommandError for an unknown account, and for ``--apply`` without a reason.
    """
    if options["apply"] and not options["reason"].strip():
        raise CommandError("Give a reason for the change: --reason '…'.")
    name = options["user"]
    if name is None:
        return None
    user = User.objects.filter(username=name).first()
    if user is None:
        raise CommandError(
            f"There is no account named {name!r}. Without --user, the system's user is used."
        )
    return user
