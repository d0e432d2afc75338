from dataclasses import fields
from itertools import combinations

import pytest

from dashboard.palette import DARK, LIGHT, Palette, Tone, css, of_scheme, outcome_colour
from monitor.model import OUTCOMES

READABLE = 4.5  # WCAG 2.2, AA, for text


def luminance(colour: str) -> float:
    """Relative luminance, WCAG 2.2."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.040_45 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def deuteranope(colour: str) -> tuple[float, float, float]:
    """The colour as an eye without green cones sees it: Viénot, Brettel and Mollon 1999, in linear light."""
    linear = [(int(colour[i : i + 2], 16) / 255) ** 2.2 for i in (1, 3, 5)]
    rows = ((0.29275, 0.70725, 0.0), (0.29275, 0.70725, 0.0), (-0.02234, 0.02234, 1.0))
    red, green, blue = (
        max(0.0, sum(a * b for a, b in zip(row, linear, strict=True))) ** (1 / 2.2) for row in rows
    )
    return red, green, blue


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
def test_every_text_can_be_read_on_every_ground_it_stands_on(palette: Palette) -> None:
    for ground in (palette.ground, palette.surface, palette.raised):
        assert contrast(palette.text, ground) >= READABLE
        assert contrast(palette.muted, ground) >= READABLE
    for tone in Tone:
        ink = getattr(palette, tone.value)
        assert contrast(ink, palette.surface) >= READABLE, tone
        assert contrast(ink, getattr(palette, f"{tone.value}_soft")) >= READABLE, tone
    assert contrast(palette.accent, palette.accent_soft) >= READABLE


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
def test_outcomes_differ_for_an_eye_without_green_cones(palette: Palette) -> None:
    seen = {outcome: deuteranope(outcome_colour(palette, outcome)) for outcome in OUTCOMES}
    for one, other in combinations(OUTCOMES, 2):
        apart = sum((a - b) ** 2 for a, b in zip(seen[one], seen[other], strict=True)) ** 0.5
        assert apart > 0.08, (one, other)


def test_both_schemes_reach_the_stylesheet() -> None:
    sheet = css()
    for field in fields(Palette):
        assert sheet.count(f"--hv-{field.name.replace('_', '-')}:") == 2


def test_an_unknown_scheme_is_light() -> None:
    assert of_scheme("dark") is DARK
    assert of_scheme(None) is of_scheme("'<script>") is LIGHT
