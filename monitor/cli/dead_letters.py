"""`hookvitals dead-letters list|show`."""

import click

from monitor.cli.base import Commands, Here, OneLine, pass_here, say, say_json, say_table
from monitor.cli.stores import opened_control
from monitor.dead_letters import SHOWN, LetterFilter, LetterState


@click.group("dead-letters", cls=Commands)
def dead_letters() -> None:
    """Events whose processing was given up; they wait to be replayed."""


@dead_letters.command("list")
@click.option("--environment", help="Only this environment.")
@click.option("--source", help="Only this source.")
@click.option("--endpoint", help="Only this endpoint.")
@click.option(
    "--state",
    type=click.Choice([state.value for state in SHOWN]),
    default=LetterState.OPEN.value,
    show_default=True,
)
@click.option("-n", "count", type=click.IntRange(1, 10_000), default=100, show_default=True)
@click.option("--ids", "only_ids", is_flag=True, help="Print nothing but ids, one a line, for `replay`.")
@pass_here
def list_(
    here: Here,
    environment: str | None,
    source: str | None,
    endpoint: str | None,
    state: str,
    count: int,
    only_ids: bool,
) -> None:
    """List dead letters, the latest first."""
    wanted = LetterFilter(environment, source, endpoint, states=(LetterState(state),))
    with opened_control(here) as control:
        found = control.letters.page(wanted, count)
    if only_ids:
        for one in found:
            say(one.id)
        return
    say_table(
        ("ID", "DIED", "SOURCE", "ENDPOINT", "TYPE", "EVENT", "ERROR", "REPLAYS FAILED", "BODY"),
        [
            (
                one.id,
                f"{one.standing.died_at:%Y-%m-%d %H:%M:%S}Z",
                one.key.source,
                one.key.endpoint,
                one.standing.event_type,
                one.key.event_id,
                one.standing.error_class,
                one.standing.failed_replays,
                {None: "missing", True: "redacted", False: "kept"}[one.redacted],
            )
            for one in found
        ],
        empty=f"no {state} dead letters",
    )


@dead_letters.command()
@click.argument("id")
@pass_here
def show(here: Here, id: str) -> None:
    """Print one letter with the records and replays of its event, as JSON; never its body."""
    with opened_control(here) as control:
        letter = control.letters.get(id)
        if letter is None:
            raise OneLine(f"there is no dead letter {id} (`hookvitals dead-letters list` shows them)")
        records, replays = control.letters.records(id), control.replays.of_letter(id)
    key, standing = letter.key, letter.standing
    say_json(
        {
            "id": letter.id,
            "environment": key.environment,
            "source": key.source,
            "endpoint": key.endpoint,
            "event_id": key.event_id,
            "event_type": standing.event_type,
            "state": standing.state.value,
            "died_at": standing.died_at,
            "how": standing.how,
            "error_class": standing.error_class,
            "error_message": standing.error_message,
            "failed_replays": standing.failed_replays,
            "body": {None: "missing", True: "redacted", False: "kept"}[letter.redacted],
            "records": [
                {
                    "record_id": one.record_id,
                    "recorded_at": one.recorded_at,
                    "outcome": one.outcome.value,
                    "replay": one.replay_id,
                    "error_class": one.error_class,
                }
                for one in records
            ],
            "replays": [
                {"item": one.id, "replay": one.replay_id, "state": one.state.value, "reason": one.reason}
                for one in replays
            ],
        }
    )
