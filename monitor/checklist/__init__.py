"""Two checklists before production, Orum's and HopNow's, judged by what an endpoint really did.

An item passes or fails by a figure from traffic, probes or drills that is not too old; where there is none, a
person may answer for it for a time. What fails is not attested away. Pure: `monitor.queries.checklist` fills
what is shown.
"""

from monitor.checklist.evidence import FRESH, LOOKED_BACK, Days, Found, Rush, Shown, Told, Verdict
from monitor.checklist.judged import Attestation, Judged, judged
from monitor.checklist.lists import HOPNOW, ITEMS, ORUM, Item

__all__ = [
    "FRESH",
    "HOPNOW",
    "ITEMS",
    "LOOKED_BACK",
    "ORUM",
    "Attestation",
    "Days",
    "Found",
    "Item",
    "Judged",
    "Rush",
    "Shown",
    "Told",
    "Verdict",
    "judged",
]
