"""What is found in whole backends, against what was labelled by hand before they were read.

``python -m tests.drift.code.test_backends`` prints the scores.
"""

from pathlib import Path

import pytest

from ownership.drift.code.reader import read_code
from ownership.drift.naming import Names
from ownership.drift.types import CodeUsage
from tests.support.drift_code import Score, score, truth_of

FOLDER = Path(__file__).parent / "backends"
BACKENDS = sorted(path for path in FOLDER.iterdir() if path.is_dir())
ENOUGH = 0.98


def by_mode(backend: Path, usage: CodeUsage) -> Score:
    found = {(a.service, a.table, a.mode) for a in usage.accesses if a.reachable}
    return score(found, {(t["service"], t["table"], t["mode"]) for t in truth_of(backend)})


def by_function(backend: Path, usage: CodeUsage) -> Score:
    found = {
        (a.service, a.function, a.table, a.mode, str(a.direct))
        for a in usage.accesses
        if a.reachable
    }
    labels = truth_of(backend)
    return score(
        found,
        {(t["service"], t["function"], t["table"], t["mode"], str(t["direct"])) for t in labels},
    )


def read(backend: Path) -> CodeUsage:
    return read_code([backend], Names(), {})


@pytest.mark.parametrize("backend", BACKENDS, ids=lambda path: path.name)
def test_the_accesses_of_a_backend_are_found(backend: Path) -> None:
    usage = read(backend)
    for result in (by_mode(backend, usage), by_function(backend, usage)):
        assert result.precision >= ENOUGH, result.wrong
        assert result.recall >= ENOUGH, result.missing
    assert usage.errors == ()


def test_what_is_not_deployed_is_kept_apart() -> None:
    usage = read(FOLDER / "javascript_wrapper")
    unreached = {
        (a.service, a.table, a.mode, a.function) for a in usage.accesses if not a.reachable
    }
    assert (
        "members",
        "clubEventsOld",
        "write",
        "services/members/handler.js#migrate",
    ) in unreached
    assert not {table for _, table, _, _ in unreached} & {"clubUnused", "clubComments"}


def test_the_way_to_an_indirect_access_is_told() -> None:
    usage = read(FOLDER / "javascript_wrapper")
    (access,) = [
        a
        for a in usage.accesses
        if (a.service, a.table, a.function) == ("events", "clubMembers", "register")
    ]
    assert not access.direct
    assert access.path == (
        "services/events/handlers/register.js#handler",
        "lib/middleware.js#(anonymous)",
        "services/events/handlers/register.js#register",
        "services/registrations/helpers.js#createRegistration",
        "lib/db.js#getOne",
    )
    assert [str(location) for location in access.evidence] == [
        "services/registrations/helpers.js:5",
        "lib/db.js:22",
    ]
    assert access.operations == ("GetItem",)


def main() -> None:
    """Print the scores."""
    for backend in BACKENDS:
        usage = read(backend)
        print(
            f"{backend.name}: by mode {by_mode(backend, usage)}; by function {by_function(backend, usage)}"
        )


if __name__ == "__main__":
    main()
