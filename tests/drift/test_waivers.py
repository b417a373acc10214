"""What a waiver covers, and until when."""

from dataclasses import replace
from datetime import date

import pytest

from ownership.drift.compare import waived
from ownership.drift.types import Finding, Identity, WaiverTerms

FINDING = Finding("wider_grant", "biztechUsers", "bots", "read", "read_write", "users")
WAIVER = WaiverTerms(
    FINDING.identity, "production", "read_write", date(2026, 3, 31), "The old bot goes in April"
)


def covered(
    waiver: WaiverTerms, environment: str | None = "production", today: date = date(2026, 3, 1)
) -> bool:
    return waived([FINDING], [waiver], environment, today) == {FINDING: waiver}


def test_a_waiver_covers_its_finding_until_its_last_day() -> None:
    assert covered(WAIVER, today=date(2026, 3, 31))
    assert not covered(WAIVER, today=date(2026, 4, 1))


OTHERS = {
    "another grant": replace(WAIVER, granted="write"),
    "another kind": replace(WAIVER, identity=Identity("narrower_grant", "biztechUsers", "bots")),
    "another table": replace(WAIVER, identity=Identity("wider_grant", "biztechPrizes", "bots")),
    "another service": replace(
        WAIVER, identity=Identity("wider_grant", "biztechUsers", "payments")
    ),
    "another environment": replace(WAIVER, environment="staging"),
    "no environment": replace(WAIVER, environment=None),
}


@pytest.mark.parametrize("waiver", OTHERS.values(), ids=OTHERS)
def test_a_waiver_covers_nothing_else(waiver: WaiverTerms) -> None:
    assert not covered(waiver)
