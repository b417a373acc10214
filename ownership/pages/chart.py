"""A line chart of shares, run after run: coordinates for the template's SVG."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from ownership.models import DriftRun, TableTruth

WIDTH, HEIGHT = 640, 140
LEFT, RIGHT, TOP, BOTTOM = 56, 12, 12, 24  # margins


@dataclass(frozen=True)
class Reading:
    """How many of the things that a run compared agreed."""

    time: datetime
    agreeing: int
    compared: int

    @property
    def share(self) -> int:
        """The percentage that agreed, rounded down."""
        return self.agreeing * 100 // self.compared if self.compared else 100


@dataclass(frozen=True)
class Point:
    """A reading on the chart."""

    reading: Reading
    x: float
    y: float


def agreement_of(runs: Iterable[DriftRun]) -> dict[str, object] | None:
    """The chart of how far map and infrastructure agreed; the runs come oldest first."""
    return plot([Reading(run.time, run.agreeing, run.compared) for run in runs])


def truth_of_runs(runs: Iterable[DriftRun]) -> dict[str, object] | None:
    """The chart of the accesses on which map, IAM and code agreed, over the runs that read code."""
    readings = []
    for run in runs:
        if run.true_accesses is not None and run.accesses is not None:
            readings.append(Reading(run.time, run.true_accesses, run.accesses))
    return plot(readings)


def truth_of_table(truths: Iterable[TableTruth]) -> dict[str, object] | None:
    """The same for one table."""
    return plot([Reading(truth.run.time, truth.agreeing, truth.accesses) for truth in truths])


def points(readings: Sequence[Reading]) -> list[Point]:
    """The readings, oldest first: time from left to right, percentage from bottom to top."""
    start = readings[0].time
    seconds = (readings[-1].time - start).total_seconds()
    plotted = []
    for reading in readings:
        passed = (reading.time - start).total_seconds() / seconds if seconds else 1
        x = LEFT + (WIDTH - LEFT - RIGHT) * passed
        plotted.append(Point(reading, round(x, 1), round(height(reading.share), 1)))
    return plotted


def height(percent: int) -> float:
    """The y coordinate of a percentage."""
    return TOP + (HEIGHT - TOP - BOTTOM) * (1 - percent / 100)


def plot(readings: Sequence[Reading]) -> dict[str, object] | None:
    """What the template draws: the size, the grid, and the points with the line through them. None for one reading."""
    if len(readings) < 2:
        return None
    plotted = points(readings)
    return {
        "width": WIDTH,
        "height": HEIGHT,
        "left": LEFT,
        "right": WIDTH - RIGHT,
        "grid": [(percent, round(height(percent), 1)) for percent in (0, 50, 100)],
        "points": plotted,
        "first": plotted[0].reading,
        "last": plotted[-1].reading,
        "line": " ".join(f"{point.x},{point.y}" for point in plotted),
        "foot": HEIGHT - 6,
    }
