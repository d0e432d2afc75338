"""What an endpoint has shown of the checklists before production, and what was seen of its sender."""

from collections.abc import Callable, Sequence

from alerts.sightings import Sighting
from dashboard.views import ChecklistLine, ChecklistView, SightingLine
from monitor.checklist import Judged
from monitor.errors import NotFound
from monitor.model import SeriesKey
from monitor.store.control import Control
from monitor.store.control.sightings import SightingFilter

_SIGHTINGS_SHOWN = 50


def checklist(
    control: Control, judge: Callable[[SeriesKey], Sequence[Judged]], place: SeriesKey
) -> ChecklistView | None:
    """None for an endpoint that is not known. judge: as of now."""
    try:
        found = judge(place)
    except NotFound:
        return None
    wanted = SightingFilter(place.environment, place.source, place.endpoint)
    return ChecklistView(
        [_line(one) for one in found],
        [_sighting(one) for _, one in control.sightings.page(wanted, _SIGHTINGS_SHOWN)],
    )


def _line(one: Judged) -> ChecklistLine:
    item, word = one.item, one.attestation
    return ChecklistLine(
        item.id,
        item.list,
        item.group,
        item.asks,
        one.verdict.value,
        one.said,
        one.on,
        word.by if word else None,
        word.at if word else None,
        word.until if word else None,
        word.note if word else "",
    )


def _sighting(one: Sighting) -> SightingLine:
    return SightingLine(one.aspect.value, one.value, one.first_at, one.last_at, one.sample)
