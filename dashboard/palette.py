"""Every colour of the dashboard, once for light and once for dark; safe for colour-blind eyes.

Series colours follow Okabe and Ito (blue, sky, orange, vermilion, purple), brightened for dark ground.
Status colours mean status and are used for nothing else. `css()` hands them to the stylesheet as variables.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import StrEnum

from monitor.model import Outcome


class Tone(StrEnum):
    """What a colour says. NEUTRAL says nothing."""

    OK = "ok"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"
    CRITICAL = "critical"
    NEUTRAL = "neutral"


@dataclass(frozen=True, slots=True)
class Palette:
    """One colour scheme, as CSS colours. The names are the variables' (`--hv-ground`, …)."""

    ground: str
    surface: str
    raised: str
    line: str
    line_strong: str
    text: str
    muted: str
    accent: str
    accent_soft: str
    ok: str
    ok_soft: str
    info: str
    info_soft: str
    warning: str
    warning_soft: str
    error: str
    error_soft: str
    critical: str
    critical_soft: str
    neutral: str
    neutral_soft: str
    blue: str
    sky: str
    green: str
    orange: str
    vermilion: str
    purple: str
    grey: str
    grey_light: str


LIGHT = Palette(
    ground="#f6f7f9",
    surface="#ffffff",
    raised="#f2f4f7",
    line="#e4e7ec",
    line_strong="#cdd3dc",
    text="#1b2330",
    muted="#5b6678",
    accent="#3451b2",
    accent_soft="#eaeefb",
    ok="#12724c",
    ok_soft="#e2f4ec",
    info="#1f5fa8",
    info_soft="#e6f0fb",
    warning="#8a5a00",
    warning_soft="#fdf1d6",
    error="#b3400e",
    error_soft="#fdeae0",
    critical="#b4232c",
    critical_soft="#fde7e8",
    neutral="#5b6678",
    neutral_soft="#edf0f4",
    blue="#2878bd",
    sky="#7dbdea",
    green="#1a9c78",
    orange="#e6a01f",
    vermilion="#d2561b",
    purple="#b5679a",
    grey="#98a2b3",
    grey_light="#cfd5de",
)
DARK = Palette(
    ground="#0e1218",
    surface="#161b23",
    raised="#1d2430",
    line="#262e3a",
    line_strong="#3a4556",
    text="#e6eaf0",
    muted="#98a4b6",
    accent="#8ea6ff",
    accent_soft="#1f2a4a",
    ok="#4fc79a",
    ok_soft="#12312a",
    info="#76b3f2",
    info_soft="#15293f",
    warning="#e9b44c",
    warning_soft="#352a12",
    error="#f39160",
    error_soft="#3b2217",
    critical="#ff8087",
    critical_soft="#411c21",
    neutral="#98a4b6",
    neutral_soft="#232b37",
    blue="#4b9fe0",
    sky="#2f6c9c",
    green="#35bd96",
    orange="#edb13f",
    vermilion="#ee7440",
    purple="#cf8fb8",
    grey="#6d788a",
    grey_light="#444f60",
)

_OUTCOMES = {
    Outcome.SUCCEEDED: "blue",
    Outcome.ACCEPTED: "sky",
    Outcome.FAILED: "orange",
    Outcome.DEAD_LETTERED: "vermilion",
    Outcome.REJECTED: "purple",
    Outcome.DUPLICATE: "grey_light",
    Outcome.STALE: "grey",
    Outcome.UNHANDLED: "green",
}
OUTCOME_TONES: Mapping[Outcome, Tone] = {
    Outcome.SUCCEEDED: Tone.OK,
    Outcome.ACCEPTED: Tone.INFO,
    Outcome.FAILED: Tone.WARNING,
    Outcome.DEAD_LETTERED: Tone.CRITICAL,
    Outcome.REJECTED: Tone.ERROR,
    Outcome.DUPLICATE: Tone.NEUTRAL,
    Outcome.STALE: Tone.NEUTRAL,
    Outcome.UNHANDLED: Tone.WARNING,
}


def of_scheme(scheme: str | None) -> Palette:
    """The palette of `dark`, or the light one for anything else."""
    return DARK if scheme == "dark" else LIGHT


def outcome_colour(palette: Palette, outcome: Outcome) -> str:
    return str(getattr(palette, _OUTCOMES[outcome]))


def css() -> str:
    """Both palettes as CSS variables; dark under Mantine's attribute."""
    return (
        f":root{{{_variables(LIGHT)}color-scheme:light}}"
        f':root[data-mantine-color-scheme="dark"]{{{_variables(DARK)}color-scheme:dark}}'
    )


def login_css() -> str:
    """Both palettes for a page without script: dark when the system says so."""
    return (
        f":root{{{_variables(LIGHT)}color-scheme:light}}"
        f"@media (prefers-color-scheme: dark){{:root{{{_variables(DARK)}color-scheme:dark}}}}"
    )


def _variables(palette: Palette) -> str:
    return "".join(
        f"--hv-{field.name.replace('_', '-')}:{getattr(palette, field.name)};" for field in fields(palette)
    )
