"""A tiny trend as an SVG mask: its shape comes from here, its colour from the stylesheet. Pure."""

from base64 import b64encode
from collections.abc import Sequence

WIDTH, HEIGHT = 120, 32
_PAD = 2.0


def sparkline(values: Sequence[float | None], low: float = 0.0) -> str | None:
    """A `data:` address of an SVG, stretched over WIDTH x HEIGHT; None with fewer than two values.

    An absent value is a gap. The scale starts at `low` or below, so that small noise looks small.
    """
    present = [value for value in values if value is not None]
    if len(present) < 2:
        return None
    bottom = min([low, *present])
    height = max(present) - bottom or 1.0
    step = WIDTH / (len(values) - 1)
    runs: list[list[tuple[float, float]]] = [[]]
    for i, value in enumerate(values):
        if value is None:
            runs.append([])
        else:
            runs[-1].append((i * step, HEIGHT - _PAD - (HEIGHT - 2 * _PAD) * (value - bottom) / height))
    svg = _svg([run for run in runs if run])
    return "data:image/svg+xml;base64," + b64encode(svg.encode()).decode()


def _svg(runs: Sequence[Sequence[tuple[float, float]]]) -> str:
    shapes = []
    for run in runs:
        points = run if len(run) > 1 else [run[0], (run[0][0] + 0.1, run[0][1])]
        line = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        area = f"M{points[0][0]:.1f},{HEIGHT} L{line.replace(' ', ' L')} L{points[-1][0]:.1f},{HEIGHT} Z"
        shapes.append(f'<path d="{area}" fill="#000" fill-opacity=".14"/>')
        shapes.append(
            f'<polyline points="{line}" fill="none" stroke="#000" stroke-width="1.6" '
            'stroke-linejoin="round" stroke-linecap="round" vector-effect="non-scaling-stroke"/>'
        )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" preserveAspectRatio="none">'
        + "".join(shapes)
        + "</svg>"
    )
