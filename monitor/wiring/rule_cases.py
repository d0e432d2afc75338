"""Cases of rules run: a story out of a file becomes Observations, the evaluator's own job lives through it,
and what came of it is held against what was expected.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from alerts.message import place_of
from alerts.model import Alert, Silence, State
from alerts.rules import RESERVED_NAME
from monitor.config import Document, validated
from monitor.config.cases import CasesFile, CaseTable, ExpectTable
from monitor.config.problems import did_you_mean
from monitor.config.toml_file import read_toml
from monitor.config.values import duration_text
from monitor.errors import ConfigError
from monitor.wiring.made_up import Story
from monitor.worker.backtest import Retold, Settings, retell


def run_cases(document: Document, path: Path) -> Iterator[tuple[str, list[str]]]:
    """(name, what is not as expected) of each case. Raises ConfigError for a file that is no good."""
    raw, text = read_toml(path)
    file, problems = validated(CasesFile, raw, path, text)
    if file is None:
        raise ConfigError("; ".join(problems), "see docs/rules.md, Testing rules")
    for case in file.cases:
        yield case.name, problems_of(document, case)


def problems_of(document: Document, case: CaseTable) -> list[str]:
    """What is not as the case expects, a line each; names that nothing bears are never as expected."""
    known = {"*", RESERVED_NAME, *(rule.name for rule in document.effective_rules())}
    strange = sorted({expected.rule for expected in case.expect} - known)
    if strange:
        return [f'there is no rule "{name}" ({did_you_mean(name, known)})' for name in strange]
    start_at = case.start if case.start.tzinfo else case.start.replace(tzinfo=UTC)
    retold = retell(
        _settings(document, case, start_at),
        Story(case, start_at, document).at,
        start_at,
        start_at + case.length,
    )
    return [
        problem for expected in case.expect if (problem := _problem(expected, retold, start_at)) is not None
    ]


def _settings(document: Document, case: CaseTable, start_at: datetime) -> Settings:
    silences = [
        Silence(f"case-{number}", table.matchers, start_at + table.from_, start_at + table.to)
        for number, table in enumerate(case.silences)
    ]
    return Settings(
        document.effective_rules(),
        document.effective_routes(),
        [*silences, *document.effective_windows()],
        document.effective_inhibitions(),
        document.flapping.damping(),
    )


def _problem(expected: ExpectTable, retold: Retold, start_at: datetime) -> str | None:
    at = start_at + expected.at
    matching = [alert for alert in _standing(retold, at) if _matches(expected, alert)]
    said = f"at {duration_text(expected.at)}: {expected.rule} is expected {expected.state.value}"
    if expected.state is State.INACTIVE:
        active = [alert for alert in matching if alert.state in (State.PENDING, State.FIRING)]
        return f"{said}, but {_list(active)}" if active else None
    found = [alert for alert in matching if alert.state is expected.state]
    if not found:
        return f"{said}, but {_list(matching) or 'there is no such alert'}"
    if expected.severity is not None and all(alert.severity is not expected.severity for alert in found):
        return f"{said} and {expected.severity.value}, but {_list(found)}"
    told = _told(found, retold, at)
    if expected.told is not None and set(expected.told) != told:
        return f"{said} and told to {_names(expected.told)}, but it was told to {_names(told)}"
    return None


def _standing(retold: Retold, at: datetime) -> list[Alert]:
    """Each alert as its last move up to then left it."""
    known: dict[str, Alert] = {}
    for move in retold.moves:
        if move.transition is not None and move.transition.at <= at:
            known[move.after.fingerprint] = move.after
    return list(known.values())


def _matches(expected: ExpectTable, alert: Alert) -> bool:
    return expected.rule in ("*", alert.rule) and all(
        alert.labels.get(name) == value for name, value in expected.labels.items()
    )


def _told(alerts: Sequence[Alert], retold: Retold, at: datetime) -> set[str]:
    wanted = {(alert.fingerprint, alert.episode) for alert in alerts}
    return {
        one.channel
        for one in retold.notifications
        if (one.alert.fingerprint, one.alert.episode) in wanted and one.created_at <= at
    }


def _list(alerts: Sequence[Alert]) -> str:
    return ", ".join(
        f"{alert.rule} at {place_of(alert)} is {alert.state.value} ({alert.severity.value})"
        for alert in alerts
    )


def _names(channels: Sequence[str] | set[str]) -> str:
    return ", ".join(sorted(channels)) or "nobody"
