"""What names must do: every one a series, codes for all, and caps that hold."""

from collections import Counter
from collections.abc import Mapping
from functools import partial
from random import Random

import pytest

from monitor.clock import to_us
from monitor.errors import TooLarge
from monitor.model import DEFAULT_ENVIRONMENT, OTHER, Outcome, SeriesKey
from monitor.store.facts.protocol import RecordFilter
from tests.conformance.counting import lineage
from tests.conformance.store import Store, at_once, endpoint_codes
from tests.facts import NOON, Filled, RecordFactory


class Naming:
    def test_every_name_is_a_series(self, store: Store, make: RecordFactory) -> None:
        store.fill.add([make(), make(environment="dev", source="orum")])

        assert set(store.reader.series("production").values()) == set(
            lineage(SeriesKey("production", "stripe", "payments", "invoice.paid"))
        )
        assert len(store.reader.series()) == 8

    def test_a_name_has_one_code_whoever_asks(self, store: Store) -> None:
        keys = [*types(30), SeriesKey("dev", "orum", "transfers", "paid")]
        answers: list[Mapping[SeriesKey, int]] = []
        errors: list[Mapping[tuple[int, str], int]] = []

        def intern(fill: Filled, number: int) -> None:
            for key in Random(number).sample(keys, len(keys)):
                answers.append(fill.writer.intern_series([key], to_us(NOON)))
            errors.append(fill.writer.intern_errors([(1, f"Error{n}") for n in range(number, number + 20)]))

        at_once(*(partial(intern, fill, number) for number, fill in enumerate(store.writers(4))))

        known = {key: code for code, key in store.reader.series().items()}
        assert set(known) == {part for key in keys for part in lineage(key)}
        assert all(known[key] == code for answer in answers for key, code in answer.items())
        codes = {name: code for answer in errors for name, code in answer.items()}
        assert all(codes[name] == code for answer in errors for name, code in answer.items())
        assert store.reader.error_names(list(codes.values())) == {c: name for (_, name), c in codes.items()}

    def test_a_source_has_a_thousand_types_then_other(self, store: Store) -> None:
        """Two writers, where there are two, come to the cap from both sides."""
        writers = store.writers(2)
        sides = [types(700), types(700, 500)] if len(writers) == 2 else [types(1200)]
        found: list[Mapping[SeriesKey, int]] = []

        def intern(fill: Filled, keys: list[SeriesKey]) -> None:
            for at in range(0, len(keys), 140):
                found.append(fill.writer.intern_series(keys[at : at + 140], to_us(NOON)))

        at_once(*(partial(intern, fill, keys) for fill, keys in zip(writers, sides, strict=True)))

        series = store.reader.series()
        named = [key for key in series.values() if key.event_type not in (None, OTHER)]
        assert len(named) == 1000
        other = next(code for code, key in series.items() if key.event_type == OTHER)
        for answer in found:
            assert all(series[code] == key or code == other for key, code in answer.items())

    def test_an_endpoint_has_two_hundred_error_classes_then_other(self, store: Store) -> None:
        (code,) = endpoint_codes(store, "payments")
        writers = store.writers(2)
        sides = [range(150), range(100, 250)] if len(writers) == 2 else [range(250)]
        found: list[Mapping[tuple[int, str], int]] = []

        def intern(fill: Filled, numbers: range) -> None:
            for number in numbers:
                found.append(fill.writer.intern_errors([(code, f"Error{number}")]))

        at_once(*(partial(intern, fill, numbers) for fill, numbers in zip(writers, sides, strict=True)))

        codes = {name: answer[name] for answer in found for name in answer}
        names = store.reader.error_names(list(codes.values()))
        assert len(names) == 201
        assert Counter(names[code] == OTHER for (_, name), code in codes.items() if name != OTHER) == {
            False: 200,
            True: 50,
        }

    def test_a_record_over_a_cap_is_shown_by_its_own_text(self, store: Store, make: RecordFactory) -> None:
        store.fill.add([make(Outcome.FAILED, error_class=f"Error{n}") for n in range(201)])

        page = store.reader.page(RecordFilter(error_class=OTHER), 10)

        assert [record.error_class for record in page.records] == ["Error200"]

    def test_the_seventeenth_environment_is_refused_and_nothing_is_made(self, store: Store) -> None:
        store.writer.intern_series([SeriesKey(f"env-{n}") for n in range(10)], to_us(NOON))
        refused: list[str] = []

        def intern(fill: Filled, first: int) -> None:
            for number in range(first, first + 10):
                try:
                    fill.writer.intern_series([SeriesKey(f"env-{number}", "orum")], to_us(NOON))
                except TooLarge as exc:
                    refused.append(exc.message)

        writers = store.writers(2)
        at_once(*(partial(intern, fill, 5 + 10 * number) for number, fill in enumerate(writers)))

        environments = {key.environment for key in store.reader.series().values()}
        assert len(environments) == min(16, 5 + 10 * len(writers))
        assert len(refused) == max(0, 5 + 10 * len(writers) - 16)
        with pytest.raises(TooLarge):
            store.writer.intern_series([SeriesKey(f"new-{n}", "a") for n in range(20)], to_us(NOON))
        assert {key.environment for key in store.reader.series().values()} == environments


def types(count: int, first: int = 0) -> list[SeriesKey]:
    return [SeriesKey(DEFAULT_ENVIRONMENT, "orum", "payouts", f"type-{first + n}") for n in range(count)]
