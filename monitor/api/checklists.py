"""Checklists: what an endpoint has shown of two providers' checklists, and who answers for the rest."""

from collections import Counter
from datetime import datetime
from typing import Annotated

from flask import Response
from pydantic import Field

from monitor.api.access import Need, current_actor, needs
from monitor.api.noun import noun, services
from monitor.api.shapes import Asked, Shape, Window, answer, length_of
from monitor.checklist import Attestation, Judged, Verdict
from monitor.model import SeriesKey
from monitor.operations import attesting

checklists = noun("checklists", "What to have before production, judged by what an endpoint really did.")


class AttestationShape(Shape):
    """Who answers for an item, from when until when, and what they say was done."""

    item: str
    by: str
    at: datetime
    until: datetime
    note: str


class ItemShape(Shape):
    """One item. said: the figure behind the verdict. evidence_at: when the newest evidence is from, of what
    is counted the start of its day; evidence that is too old makes no verdict.

    attestation: null where nobody answered; one that has ended, and one that evidence goes before, is there
    too and makes no verdict either.
    """

    id: str
    list: str
    group: str
    asks: str
    verdict: Verdict
    said: str
    evidence_at: datetime | None
    attestation: AttestationShape | None


class ChecklistShape(Shape):
    """counts: how many items have which verdict; all four are there."""

    environment: str
    source: str
    name: str
    as_of: datetime
    counts: dict[Verdict, int]
    items: list[ItemShape]


class EndpointPath(Asked):
    environment: Annotated[str, Field(max_length=32)]
    source: Annotated[str, Field(max_length=64)]
    name: Annotated[str, Field(max_length=128)]

    @property
    def place(self) -> SeriesKey:
        return SeriesKey(self.environment, self.source, self.name)


@checklists.get(
    "/endpoints/<environment>/<source>/<name>/checklist",
    responses={200: ChecklistShape},
)
@needs(Need.READ)
def judged(path: EndpointPath) -> Response:
    """The 16 items of Orum's checklist and the 10 of HopNow's, each with the figure behind its verdict"""
    now, found = services().clock.now(), services().judge(path.place)
    counts = Counter(one.verdict for one in found)
    return answer(
        ChecklistShape(
            environment=path.environment,
            source=path.source,
            name=path.name,
            as_of=now,
            counts={verdict: counts[verdict] for verdict in Verdict},
            items=[_item(one) for one in found],
        )
    )


class AttestationBody(Asked):
    """item: as the checklist names it. for: how long it holds, at most 400 days."""

    item: Annotated[str, Field(max_length=64)]
    note: Annotated[str, Field(description="What was done, and where it can be seen.")]
    lasts: Annotated[Window, Field(alias="for", description="How long it holds, such as 90d.")] = "180d"


@checklists.post(
    "/endpoints/<environment>/<source>/<name>/attestations",
    responses={201: AttestationShape},
)
@needs(Need.OPERATE)
def attest(path: EndpointPath, body: AttestationBody) -> Response:
    """Answer for an item that no record can show; the latest word on an item stands"""
    lasts = length_of(body.lasts)
    made = attesting.attest(services().desk, current_actor(), path.place, body.item, body.note, lasts)
    return answer(_attestation(made), 201)


class ItemPath(EndpointPath):
    item: Annotated[str, Field(max_length=64)]


@checklists.delete(
    "/endpoints/<environment>/<source>/<name>/attestations/<item>",
    responses={204: None},
)
@needs(Need.OPERATE)
def withdraw(path: ItemPath) -> Response:
    """Take back what somebody answered for"""
    attesting.withdraw(services().desk, current_actor(), path.place, path.item)
    return Response(status=204)


def _item(one: Judged) -> ItemShape:
    item, word = one.item, one.attestation
    return ItemShape(
        id=item.id,
        list=item.list,
        group=item.group,
        asks=item.asks,
        verdict=one.verdict,
        said=one.said,
        evidence_at=one.on,
        attestation=None if word is None else _attestation(word),
    )


def _attestation(one: Attestation) -> AttestationShape:
    return AttestationShape.model_validate(one)
