"""Small plots as SVG, in the page's own colors: light, dark and in any language, for all words stand around them."""

from __future__ import annotations

from collections.abc import Sequence

from catdog.measuring.figures import ReliabilityBin

SIDE = 100  # of the plotted square, in SVG units
MARGIN = 14  # left and below, for the numbers
TICKS = (0, 0.25, 0.5, 0.75, 1)
Point = tuple[float, float]  # x, y in [0, 1], y upwards


def reliability_diagram(bins: Sequence[ReliabilityBin], label: str) -> str:
    """Of the photos that were given about a probability, the share that shows the label, with 95% intervals.

    Args:
        bins: of a label's calibration error.
        label: cat or dog, for its color.
    """
    marks = f'<line class="perfect" {ends((0, 0), (1, 1))}/>'
    for each in bins:
        low, high = each.rate.interval
        x, y = in_drawing((each.mean, each.rate.value))
        marks += f'<line class="interval {label}" {ends((each.mean, low), (each.mean, high))}/>'
        marks += f'<circle class="{label}" cx="{x:.2f}" cy="{y:.2f}" r="2"/>'
    return frame(marks)


def curve(points: Sequence[Point]) -> str:
    """A curve through points, such as an ROC curve, above the line of chance."""
    path = " ".join("{:.2f},{:.2f}".format(*in_drawing(point)) for point in points)
    return frame(f'<line class="perfect" {ends((0, 0), (1, 1))}/><polyline class="dog" points="{path}"/>')


def frame(marks: str) -> str:
    """Marks on a square from 0 to 100% both ways."""
    lines = ""
    for tick in TICKS:
        x, y = in_drawing((tick, tick))
        lines += f'<line class="grid" {ends((tick, 0), (tick, 1))}/><line class="grid" {ends((0, tick), (1, tick))}/>'
        if tick in (0, 0.5, 1):
            lines += f'<text x="{MARGIN - 2}" y="{y + 2:.2f}" text-anchor="end">{tick:.0%}</text>'
            lines += f'<text x="{x:.2f}" y="{SIDE + 11}" text-anchor="middle">{tick:.0%}</text>'
    return f'<svg viewBox="-8 -4 {SIDE + MARGIN + 18} {SIDE + 18}" aria-hidden="true">{lines}{marks}</svg>'


def in_drawing(point: Point) -> Point:
    return MARGIN + SIDE * point[0], SIDE * (1 - point[1])


def ends(one: Point, two: Point) -> str:
    (x1, y1), (x2, y2) = in_drawing(one), in_drawing(two)
    return f'x1="{x1:.2f}" y1="{y1:.2f}" x2="{x2:.2f}" y2="{y2:.2f}"'
