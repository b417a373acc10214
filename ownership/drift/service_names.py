"""Which service of the map a folder, a project's own name or a role's name means."""

import re
from collections.abc import Mapping, Sequence
from itertools import combinations

from ownership.drift.types import printable

MAX_SERVICE_NAME = 255  # what a kept run and a waiver can hold
MAX_ROLE_NAME = 128  # of a role's name, what is searched for services; IAM allows 64
# `clubAPI-users` is club, API, users.
WORD_WITH_DIGITS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z0-9]+")


def unregistered_service_name(name: str) -> str:
    """The name of a service that the map doesn't have, as a run and a waiver can keep it."""
    return printable(name[:MAX_SERVICE_NAME])


def service_in_folders(
    services: Mapping[str, str],
    folders: Sequence[str],
    own_name: str | None,
) -> str | None:
    """The service in these folders, innermost first, that has this name itself; None if the map knows none.

    ``services``: name or alias in lower case → name. The folder comes first, then the own name, whole or without a
    prefix (``biztechApi-users``), then the outer folders.
    """
    own_name = (own_name or "").lower()
    inner_folder, outer_folders = folders[:1], folders[1:]
    candidates = [*inner_folder, own_name]
    # `x-admin-users` in the folder `admin-users` repeats the folder's name, and is not the service `users`.
    repeats_folder = own_name.endswith(tuple(folder.lower() for folder in inner_folder))
    if not repeats_folder:
        candidates += _without_prefixes(own_name)
    candidates += outer_folders
    for candidate in candidates:
        name = services.get(candidate.lower())
        if name:
            return name
    return None


def service_of_role(services: Mapping[str, str], names: Sequence[str]) -> str | None:
    """The one service whose name is among the words of a role's names; None for none or several."""
    mentioned: set[str] = set()
    for name in names:
        mentioned |= _services_in(services, name)
    if len(mentioned) != 1:
        return None
    [service] = mentioned
    return service


def _services_in(services: Mapping[str, str], name: str) -> set[str]:
    mentioned = _runs_of_words(name) & services.keys()
    found: set[str] = set()
    for run in mentioned:
        # Of `admin-users` and `users` the longer one is meant.
        longer_runs = [other for other in mentioned if run in other and run != other]
        if not longer_runs:
            found.add(services[run])
    return found


def _without_prefixes(name: str) -> list[str]:
    """What is left of a name behind each separator: of ``club-api-users``, ``api-users`` and ``users``."""
    rests = []
    for separator in re.finditer(r"[-_./]", name):
        rest = name[separator.end() :]
        rests.append(rest)
    return rests


def _runs_of_words(name: str) -> set[str]:
    """Every run of successive words of a name, in lower case, joined in each way that names are."""
    words = [word.lower() for word in WORD_WITH_DIGITS.findall(name[:MAX_ROLE_NAME])]
    runs = set()
    for start, end in combinations(range(len(words) + 1), 2):
        run = words[start:end]
        runs.add("".join(run))
        runs.add("-".join(run))
        runs.add("_".join(run))
    return runs
