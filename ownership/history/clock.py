"""Has the clock jumped? Compares it with a second one of the machine, which nobody sets.

A clock that is a month ahead for a minute would date all later change sets: times in history never go back.
"""

import logging
import time
from datetime import datetime, timedelta

from django.utils import timezone

from ownership.history.lock import RegistryNotReady

LOG = logging.getLogger("ownership.history")

# A clock is set by seconds all the time.
TOLERATED = timedelta(minutes=1)
MOST = timedelta(days=1)


def _steady() -> float:
    """Seconds since the machine was started, also while it slept."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


# What both said when this process started.
_STARTED = timezone.now()
_STARTED_STEADY = _steady()


def check_clock(now: datetime) -> None:
    """Log a warning if the clock jumped ahead since this process started; RegistryNotReady if by more than a day."""
    expected = _STARTED + timedelta(seconds=_steady() - _STARTED_STEADY)
    jump = now - expected
    if jump > MOST:
        raise RegistryNotReady(
            f"The clock of this machine jumped from {expected:%Y-%m-%d %H:%M} to {now:%Y-%m-%d %H:%M} UTC. Nothing is "
            "written until it is set right. If it is right now, restart the registry."
        )
    if jump > TOLERATED:
        LOG.warning("The clock of this machine jumped ahead by %s since this process started", jump)
