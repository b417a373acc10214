"""A line that tells how much of what was compared agreed, run after run: coordinates for the template's SVG."""

from collections.abc import Sequence
from dataclasses import dataclass

from ownership.models import DriftRun

WIDTH, HEIGHT = 640, 140
LEFT, RIGHT, TOP, BOTTOM = 56, 12, 12, 24  # margins


def share(run: DriftRun) -> int:
    """Per cent that agreed, rounded down: 100 only where all did; 100 too where nothing was compared."""
    return run.agreeing * 100 // run.compared if run.compared else 100


@dataclass(frozen=True)
class Point:
    """A run on the plot."""

    run: DriftRun
    x: float
    y: float
    share: int


def points(runs: Sequence[DriftRun]) -> list[Point]:
    """The runs, oldest first, over time from left to right and per cent from bottom to top."""
    if not runs:
        return []
    first, last = runs[0].time, runs[-1].time
    span = (last - first).total_seconds()
    plotted = []
    for run in runs:
        passed = (run.time - first).total_seconds() / span if span else 1
        x = LEFT + (WIDTH - LEFT - RIGHT) * passed
        plotted.append(Point(run, round(x, 1), round(height(share(run)), 1), share(run)))
    return plotted


def height(percent: int) -> float:
    """Where a percentage stands."""
    return TOP + (HEIGHT - TOP - BOTTOM) * (1 - percent / 100)


def plot(runs: Sequence[DriftRun]) -> dict[str, object]:
    """What the template draws: size, grid, and the points with the line through them."""
    plotted = points(runs)
    return {
        "width": WIDTH,
        "height": HEIGHT,
        "left": LEFT,
        "right": WIDTH - RIGHT,
        "grid": [(percent, round(height(percent), 1)) for percent in (0, 50, 100)],
        "points": plotted,
        "line": " ".join(f"{point.x},{point.y}" for point in plotted),
        "foot": HEIGHT - 6,
    }
