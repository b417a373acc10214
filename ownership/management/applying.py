"""What commands share that show a change first, and make it when told to."""

from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import CommandError, CommandParser


def add_arguments(parser: CommandParser, apply: str) -> None:
    """``--apply``, explained by that text, and whose change it is and why."""
    parser.add_argument("--apply", action="store_true", help=apply)
    parser.add_argument("--reason", default="", help="why; needed with --apply")
    parser.add_argument("--user", metavar="NAME", help="the account that changes it; else the system's user name")


def user_named(options: dict[str, Any]) -> User | None:
    """The account to change it as; None for the system's user. CommandError without it, or without a reason."""
    if options["apply"] and not options["reason"].strip():
        raise CommandError("Say why the registry changes: --reason '…'.")
    name = options["user"]
    user = User.objects.filter(username=name).first() if name is not None else None
    if name is not None and user is None:
        raise CommandError(f"There is no account called {name!r}; without --user it is your own name.")
    return user
