"""Everything that `hookvitals config check` has to say of a file: what the file alone shows, and what its
references and names lead to from this machine. It changes nothing and dials nobody.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

from alerts.egress import Egress
from alerts.errors import Failure, RequestFailed
from monitor.config import Document, Settings, advice, checked, placed, resolve
from monitor.config.advice import beyond_minutes
from monitor.config.environment import process_problems
from monitor.config.toml_file import Location, read_toml
from monitor.errors import ConfigError
from monitor.wiring.channels import channel_findings


@dataclass(frozen=True, slots=True)
class Checked:
    """mistakes: the file is refused for each. warnings: it is not. A line each, with its place."""

    mistakes: Sequence[str]
    warnings: Sequence[str] = ()


def checked_file(file: Path, environ: Mapping[str, str], *, offline: bool = False) -> Checked:
    """What is wrong with the file, and what is perhaps not meant.

    offline: neither follows references to secrets nor asks DNS. Raises ConfigError for a file that is no
    TOML.
    """
    raw, text = read_toml(file)
    process = raw.pop("process", {})
    document, mistakes = checked(raw, file, text)
    settings, more = _of_the_process(process, file, text, document, environ)
    mistakes += more
    if document is None:
        return Checked(mistakes)
    found = [(where, said, False) for where, said in advice(document)]
    if settings is not None:
        found += [(where, said, False) for where, said in beyond_minutes(document, settings.retention)]
    if not offline:
        found += [*channel_findings(document, environ), *_unread(document, environ), *_out_of_reach(document)]
    lines = [(placed(file, text, where, said), is_mistake) for where, said, is_mistake in found]
    return Checked(
        [*mistakes, *(line for line, is_mistake in lines if is_mistake)],
        [line for line, is_mistake in lines if not is_mistake],
    )


def _of_the_process(
    process: object, file: Path, text: str, document: Document | None, environ: Mapping[str, str]
) -> tuple[Settings | None, list[str]]:
    """The settings of [process], or its mistakes. The environment goes before it and is judged with it, where
    the file is good enough to tell which variables it names itself."""
    if not isinstance(process, dict):
        said = "must be a table; write [process] and its settings below"
        return None, [placed(file, text, ("process",), said)]
    known = frozenset[str]() if document is None else document.secret_variables()
    judged = {} if document is None else environ
    settings, problems = process_problems(judged, process, file=file, text=text, known=known)
    return settings, [str(problem) for problem in problems]


def _unread(document: Document, environ: Mapping[str, str]) -> Iterator[tuple[Location, str, bool]]:
    """References of endpoints and queues that lead to no secret; those of channels are theirs."""
    refs = [
        (("endpoints", at, "replay_secret"), one.replay_secret) for at, one in enumerate(document.endpoints)
    ]
    refs += [(("queues", at, "password"), one.password) for at, one in enumerate(document.queues)]
    for where, ref in refs:
        try:
            if ref is not None:
                resolve(ref, environ)
        except ConfigError as exc:
            yield where, str(exc), True


def _out_of_reach(document: Document) -> Iterator[tuple[Location, str, bool]]:
    """Endpoints, queues and providers that may not be dialled from here, or have no address: no mistake, for
    what comes in is judged all the same."""
    egress = Egress(document.egress.allow)

    @cache
    def problem(host: str) -> str:
        try:
            egress.addresses(host, 443)
        except RequestFailed as exc:
            return str(exc) if exc.reason is Failure.DNS else f"it is not dialled: {exc}"
        return ""

    for where, url in _dialled(document):
        said = problem(urlsplit(url).hostname or "") if url else ""
        if said:
            yield where, said, False


def _dialled(document: Document) -> Iterator[tuple[Location, str | None]]:
    for at, endpoint in enumerate(document.endpoints):
        yield ("endpoints", at, "url"), endpoint.url
        yield ("endpoints", at, "probe_url"), endpoint.probe_url
    for at, queue in enumerate(document.queues):
        yield ("queues", at, "url"), queue.url
    for at, source in enumerate(document.sources):
        yield ("sources", at, "api_host"), f"https://{source.api_host}" if source.api_host else None
