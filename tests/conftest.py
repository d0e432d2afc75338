"""What every test run obeys: with TESTS_MAY_NOT_SKIP=1 a skipped test is a failed one.

A test skips when the machine lacks a component (a browser, Prometheus, openssl). Where the components have
been installed on purpose, as `.ci/run` does, such a skip means that nobody looked. Expected failures stay as
they are.

Hypothesis judges what is true and not how long it took: a machine that is busy elsewhere is no failure.
"""

import os
import signal
from collections.abc import Callable, Generator, Iterator
from typing import TypeVar

import pytest
from hypothesis import HealthCheck, settings

from tests.postgres import Postgres, database, pooler, programs, server

NO_SKIPS = os.environ.get("TESTS_MAY_NOT_SKIP") == "1"
Report = TypeVar("Report", pytest.TestReport, pytest.CollectReport)

settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # begun by a script with `&`; children inherit it
    signal.signal(signal.SIGINT, signal.default_int_handler)


def _forbid_skip(report: Report) -> Report:
    if NO_SKIPS and report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"{report.nodeid}: skipped although its components are installed: {reason}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    return _forbid_skip((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    return _forbid_skip((yield))


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """The PostgreSQL of this test session, not durable: databases come and go in milliseconds."""
    if programs() is None:
        pytest.skip("PostgreSQL is not installed: apt-get install postgresql")
    with server() as started:
        yield started


@pytest.fixture
def postgres_url(postgres: Postgres) -> Iterator[str]:
    """The URL of an empty database of the test's own."""
    with database(postgres) as url:
        yield url


@pytest.fixture(scope="session")
def pooled(postgres: Postgres) -> Iterator[Callable[[str], str]]:
    """The URL of a database by its name, through pgbouncer in transaction mode."""
    with pooler(postgres) as through:
        yield through
