"""A line chart of agreement, run after run: coordinates for the template's SVG."""

from collections.abc import Sequence
from dataclasses import dataclass

from ownership.models import DriftRun

WIDTH, HEIGHT = 640, 140
LEFT, RIGHT, TOP, BOTTOM = 56, 12, 12, 24  # margins


@dataclass(frozen=True)
class Point:
    """A run on the chart."""

    run: DriftRun
    x: float
    y: float
    share: int


def points(runs: Sequence[DriftRun]) -> list[Point]:
    """The runs, oldest first: time from left to right, percentage from bottom to top."""
    if not runs:
        return []
    start = runs[0].time
    seconds = (runs[-1].time - start).total_seconds()
    plotted = []
    for run in runs:
        passed = (run.time - start).total_seconds() / seconds if seconds else 1
        x = LEFT + (WIDTH - LEFT - RIGHT) * passed
        plotted.append(Point(run, round(x, 1), round(height(run.share()), 1), run.share()))
    return plotted


def height(percent: int) -> float:
    """The y coordinate of a percentage."""
    return TOP + (HEIGHT - TOP - BOTTOM) * (1 - percent / 100)


def plot(runs: Sequence[DriftRun]) -> dict[str, object]:
    """What the template draws: the size, the grid, and the points with the line through them."""
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
