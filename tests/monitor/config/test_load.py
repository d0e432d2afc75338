"""hookvitals.toml: what it makes of a file, and how it points at each mistake."""

from datetime import timedelta
from pathlib import Path

import pytest

from alerts.model import Severity
from alerts.rules import default_rules
from monitor.config.document import Document
from monitor.config.load import checked, load, stored
from monitor.config.toml_file import read_toml
from monitor.errors import ConfigError

WHOLE = """\
[process]
collector_port = 9000

[egress]
allow = ["10.0.0.0/8"]

[evaluation]
interval = "5s"

[[sources]]
name = "hopnow"

[[sources]]
name = "acme"
deadline = "3s"

[[endpoints]]
source = "acme"
name = "payments"
url = "https://hooks.example.com/acme"
replay_secret = { env = "ACME_REPLAY" }

[[rules]]
kind = "error_rate"
threshold = 0.1
window = "2m"
for = "10s"

[[rules]]
kind = "slow_processing"
name = "slow invoices"
severity = "critical"
event_type = "invoice.*"
interval = "30s"

[[channels]]
kind = "slack"
name = "team"
url = { env = "HOOKVITALS_SLACK_URL" }

[[channels]]
kind = "email"
name = "desk"
host = "mail.example.com"
sender = "hookvitals@example.com"
recipients = ["desk@example.com"]

[[routes]]
channels = ["team"]
min_severity = "error"
fallback = "desk"

[report]
timezone = "Europe/Berlin"
channel = "desk"
"""


def written(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "hookvitals.toml"
    file.write_text(text)
    return file


def refusal(tmp_path: Path, text: str) -> str:
    with pytest.raises(ConfigError) as refused:
        load(written(tmp_path, text), {})
    return str(refused.value).removeprefix(str(tmp_path) + "/")


def test_without_a_file_the_shipped_rules_watch_everything() -> None:
    document = load(None, {}).document
    assert document.effective_rules() == default_rules()
    assert document.effective_routes() == []


def test_whole_file_is_read(tmp_path: Path) -> None:
    loaded = load(written(tmp_path, WHOLE), {"HOOKVITALS_SLACK_URL": "https://hooks.slack.com/x"})
    document = loaded.document
    assert loaded.settings.collector_port == 9000
    assert [source.deadline_or_default for source in document.sources] == [
        timedelta(seconds=5),
        timedelta(seconds=3),
    ]
    assert document.egress.allow == ("10.0.0.0/8",)
    assert document.secret_variables() == {"ACME_REPLAY", "HOOKVITALS_SLACK_URL"}
    [route] = document.effective_routes()
    assert (route.channels, route.min_severity, route.fallback) == (("team",), Severity.ERROR, "desk")


def test_rule_of_the_file_takes_the_place_of_the_shipped_one_of_its_name(tmp_path: Path) -> None:
    rules = {rule.name: rule for rule in load(written(tmp_path, WHOLE), {}).document.effective_rules()}
    changed = rules["error_rate"]
    assert (changed.threshold, changed.window, changed.for_) == (
        0.1,
        timedelta(minutes=2),
        timedelta(seconds=10),
    )
    assert rules["slow invoices"].event_type == "invoice.*"
    assert rules["slow_processing"].event_type == "*"


def test_interval_of_evaluation_holds_for_rules_without_their_own(tmp_path: Path) -> None:
    rules = {rule.name: rule for rule in load(written(tmp_path, WHOLE), {}).document.effective_rules()}
    assert rules["error_rate"].interval == timedelta(seconds=5)
    assert rules["slow invoices"].interval == timedelta(seconds=30)


def test_rules_that_watch_the_monitor_itself_keep_their_interval(tmp_path: Path) -> None:
    document = load(written(tmp_path, '[evaluation]\ninterval = "1h"\n'), {}).document
    rules = {rule.name: rule for rule in document.effective_rules()}
    assert rules["error_rate"].interval == timedelta(hours=1)
    assert rules["monitor_blind"].interval == timedelta(seconds=5)


def test_channels_without_routes_are_all_told_of_everything(tmp_path: Path) -> None:
    text = '[[channels]]\nkind = "slack"\nname = "team"\nurl = { env = "URL" }\n'
    [route] = load(written(tmp_path, text), {}).document.effective_routes()
    assert (route.channels, route.min_severity) == (("team",), Severity.INFO)


def test_stored_document_reads_back_as_it_was_stated(tmp_path: Path) -> None:
    document = load(written(tmp_path, WHOLE), {}).document
    assert stored(document.stated()) == document
    assert "for" in document.stated()["rules"][0]
    assert "probes" not in document.stated()
    assert document.complete()["probes"]["interval"] == "1m"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            '[[rules]]\nkind = "error_rate"\ntreshold = 0.1\n',
            "hookvitals.toml, line 3: rules[0].treshold: unknown key (did you mean threshold?)",
        ),
        (
            '[[chanels]]\nname = "x"\n',
            "hookvitals.toml, line 1: chanels: unknown key (did you mean channels?)",
        ),
        (
            '[[channels]]\nkind = "slack"\nname = "x"\nulr = { env = "A" }\nurl = { env = "A" }\n',
            "hookvitals.toml, line 4: channels[0].ulr: unknown key (did you mean url?)",
        ),
        (
            '[[rules]]\nkind = "error_rat"\n',
            'hookvitals.toml, line 2: rules[0].kind: there is no rule kind "error_rat" '
            "(did you mean error_rate?)",
        ),
        (
            '[[rules]]\nkind = "error_rate"\nthreshold = 5\n',
            'hookvitals.toml, line 3: rules[0].threshold: rule "error_rate": threshold is a share '
            "from 0 to 1",
        ),
        (
            '[[rules]]\nkind = "slow_processing"\nname = "slow"\nthreshold = "5 %"\n',
            'hookvitals.toml, line 4: rules[0].threshold: rule "slow": threshold must be milliseconds '
            'such as 5000, or a time such as "5s", not "5 %"',
        ),
        (
            '[[rules]]\nkind = "slow_processing"\nparams = { quantil = 0.9 }\n',
            'hookvitals.toml, line 3: rules[0].params.quantil: rule "slow_processing": unknown parameter',
        ),
        (
            '[[rules]]\nkind = "no_events"\nquiet_hours = ["at night"]\n',
            "hookvitals.toml, line 3: rules[0].quiet_hours: ",
        ),
        (
            '[[sources]]\nname = "stripe"\n[[rules]]\nkind = "error_rate"\nsource = "strpe"\n',
            'hookvitals.toml, line 5: rules[0].source: there is no source "strpe" in this file '
            "(did you mean stripe?)",
        ),
        (
            '[[sources]]\nname = "stripe"\n[[slos]]\nname = "all"\nsource = "orum"\n',
            'hookvitals.toml, line 5: slos[0].source: there is no source "orum" in this file '
            "(there are stripe)",
        ),
        (
            '[[sources]]\nname = "a"\n[[endpoints]]\nsource = "a"\nname = "billing"\nurl = "https://a.example"'
            '\n[[rules]]\nkind = "error_rate"\nsource = "a"\nendpoint = "biling"\n',
            'hookvitals.toml, line 10: rules[0].endpoint: there is no endpoint "biling" in this file '
            "(did you mean billing?)",
        ),
        (
            '[[channels]]\nkind = "slack"\nname = "chat"\nurl = { env = "A" }\n'
            '[[routes]]\nchannels = ["chat"]\n'
            '[[routes.steps]]\nafter = "5m"\nchannels = ["chat"]\n'
            '[[routes.steps]]\nafter = "9m"\nchannels = ["chaf"]\n',
            'hookvitals.toml, line 12: routes[0].steps[1].channels: there is no channel "chaf" '
            "(did you mean chat?)",
        ),
        (
            '[[channels]]\nkind = "slack"\nname = "a"\nurl = { env = "A" }\n'
            '[[routes]]\nchannels = ["a"]\nfallback = "desk"\n',
            'hookvitals.toml, line 7: routes[0].fallback: there is no channel "desk" (there are a)',
        ),
        (
            '[[sources]]\nname = "acme"\n[[queues]]\nsource = "acne"\nendpoint = "orders"\nkind = "rq"\n'
            'url = "redis://10.1.2.3"\nqueue = "default"\n',
            'hookvitals.toml, line 4: queues[0].source: there is no source "acne" in this file '
            "(did you mean acme?)",
        ),
        (
            '[report]\nchannel = "desk"\n',
            'hookvitals.toml, line 2: report.channel: there is no channel "desk" (add a [[channels]] table)',
        ),
        (
            '[[rules]]\nkind = "error_rate"\nwindow = "soon"\n',
            'hookvitals.toml, line 3: rules[0].window: "soon": expected a duration such as "90s"',
        ),
        (
            '[[endpoints]]\nsource = "a"\nname = "b"\n',
            "hookvitals.toml, line 1: endpoints[0].url: missing",
        ),
        (
            '[[endpoints]]\nsource = "a"\nname = "b"\nurl = "http://hooks.example.com/"\n',
            "hookvitals.toml, line 4: endpoints[0].url: http:// sends events unencrypted; use https://, "
            "or add the line: insecure = true",
        ),
        (
            '[[channels]]\nkind = "slack"\nname = "x"\nurl = "https://hooks.slack.com/T0/secret"\n',
            "hookvitals.toml, line 4: channels[0].url: expected a reference to a secret: "
            '{ env = "NAME" } or { file = "/path" }',
        ),
        (
            '[[channels]]\nkind = "pigeon"\nname = "x"\n',
            'hookvitals.toml, line 2: channels[0].kind: there is no kind "pigeon" (there are alertmanager, ',
        ),
        ('[[channels]]\nname = "x"\n', "hookvitals.toml, line 1: channels[0].kind: missing; give it a value"),
        (
            '[[channels]]\nkind = "email"\nname = "x"\nhost = "mail.example.com"\nsender = "ann"\n'
            'recipients = ["a@example.com"]\n',
            'hookvitals.toml, line 5: channels[0].sender: "ann": expected a mail address such as ',
        ),
        (
            '[[rules]]\nkind = "stuck_events"\nparams = { older_than_s = "15m" }\n',
            'hookvitals.toml, line 3: rules[0].params.older_than_s: rule "stuck_events": params.older_than_s '
            'must be seconds from 1 to 2592000 (30 d), not "15m"',
        ),
        (
            '[[rules]]\nkind = "stuck_events"\n[rules.params]\nolder_than_s = 1e16\n',
            'hookvitals.toml, line 4: rules[0].params.older_than_s: rule "stuck_events": params.older_than_s '
            "must be seconds from 1 to 2592000 (30 d), not 1e+16",
        ),
        (
            '[[rules]]\nkind = "no_events"\nthreshold = "500d"\n',
            'hookvitals.toml, line 3: rules[0].threshold: rule "no_events": threshold must be 400 days at '
            'most, not "500d"',
        ),
        (
            '[[rules]]\nkind = "no_events"\nfor = "401d"\n',
            'hookvitals.toml, line 3: rules[0].for: rule "no_events": for must be 400 d at most, not 401 d',
        ),
        (
            '[[rules]]\nkind = "error_rate"\nmin_sample = 2.5\n',
            "hookvitals.toml, line 3: rules[0].min_sample: 2.5: expected a whole number",
        ),
        (
            '[[slos]]\nname = "a"\nobjective = 99.9\n',
            "hookvitals.toml, line 3: slos[0].objective: 99.9: expected a share between 0 and 1 such as ",
        ),
        (
            '[[routes]]\nchannels = "team"\n',
            'hookvitals.toml, line 2: routes[0].channels: "team": expected a list such as ["a", "b"]',
        ),
        (
            '[sources]\nname = "a"\n',
            "hookvitals.toml, line 1: sources: write [[sources]], for there may be several",
        ),
        (
            '[[sources]]\nname = "a"\nsecrets = { "5f3a9c01" = 2026-12-01 }\n',
            "hookvitals.toml, line 3: sources[0].secrets: write [[sources.secrets]], for there",
        ),
        (
            '[[sources]]\nname = "a"\ndeadline = "30d"\n',
            'hookvitals.toml, line 3: sources[0].deadline: "30d": expected a duration from 100ms to 1d',
        ),
        (
            '[probes]\ninterval = "1ms"\n',
            'hookvitals.toml, line 2: probes.interval: "1ms": expected a duration from 1s to 400d',
        ),
        (
            '[replay]\ntimeout = "20000d"\n',
            'hookvitals.toml, line 2: replay.timeout: "20000d": expected a duration from 100ms to 10m',
        ),
        (
            '[[routes]]\nchannels = ["a"]\nrepeat_every = { critical = "1s" }\n',
            'hookvitals.toml, line 3: routes[0].repeat_every.critical: "1s": expected a duration from ',
        ),
        (
            '[[rules]]\nkind = "error_rate"\nlabels = { severity = "x" }\n',
            'hookvitals.toml, line 3: rules[0].labels: rule "error_rate": labels cannot hold "severity"',
        ),
        (
            '[[inhibitions]]\nsource = { kind = "a" }\ntarget = { kind = "b" }\nequal = ["sorce"]\n',
            'hookvitals.toml, line 4: inhibitions[0].equal[0]: "sorce": there is no label "sorce"; did you ',
        ),
        (
            '[[channels]]\nkind = "slack"\nname = "a"\nurl = { env = "A" }\n'
            '[[routes]]\nchannels = ["a"]\nfallback = "a"\n',
            'hookvitals.toml, line 7: routes[0].fallback: "a" is one of its channels; name another one',
        ),
        (
            '[[routes]]\nchannels = ["a"]\nquiet_days = "sun"\n',
            "hookvitals.toml, line 1: routes[0]: quiet_days need quiet_hours; write quiet_hours = ",
        ),
        (
            '[[maintenance_windows]]\nname = "w"\nmatchers = { source = "a" }\nhours = "02:00-03:00"\n'
            'days = "son"\n',
            'hookvitals.toml, line 5: maintenance_windows[0].days: "son": expected days such as mon-fri',
        ),
        (
            '[[routes]]\nchannels = ["a"]\ntimezone = "Berlin"\n',
            'hookvitals.toml, line 3: routes[0].timezone: "Berlin": not a time zone; write one such as ',
        ),
        ("[[routes]]\nchannels = []\n", "hookvitals.toml, line 2: routes[0].channels: expected at least one"),
        (
            '[[inhibitions]]\nsource = "a"\ntarget = { kind = "drift" }\n',
            'hookvitals.toml, line 2: inhibitions[0].source: "a": expected a table such as { key = value }',
        ),
        (
            '[[routes]]\nchannels = ["team"]\n',
            'hookvitals.toml, line 2: routes[0].channels: there is no channel "team"',
        ),
        (
            '[egress]\nallow = ["ten"]\n',
            'hookvitals.toml, line 2: egress.allow[0]: "ten": expected an address',
        ),
        ('[report]\ntimezone = "Mars"\n', "hookvitals.toml, line 2: report.timezone: not a time zone"),
        ("[process]\nport = 1\n", "hookvitals.toml, line 2: process.port: unknown setting"),
        (
            '[[sources]]\nname = "a"\n[[sources]]\nname = "a"\n',
            'hookvitals.toml, line 4: sources[1].name: "a" is there twice',
        ),
        (
            '[[sources]]\nname = "a"\n[[sources.secrets]]\nid = "5f3a9c01"\nremove_after = "December"\n',
            'hookvitals.toml, line 5: sources[0].secrets[0].remove_after: "December": expected a day such as '
            "2026-12-01",
        ),
        (
            '[[sources]]\nname = "a"\n[[sources.secrets]]\nid = "5f3a9c01"\nremove_after = 12\n',
            "hookvitals.toml, line 5: sources[0].secrets[0].remove_after: 12: expected a day such as ",
        ),
        (
            '[[sources]]\nname = "a"\n[[sources.secrets]]\nid = "5f3a9c01"\nremove_after = 2206-12-01\n',
            "hookvitals.toml, line 5: sources[0].secrets[0].remove_after: expected a day such as 2026-12-01",
        ),
        (
            '[[sources]]\nname = "a"\n[[sources]]\nname = "b"\n'
            "[[sources.secrets]]\nid = 'x'\nremove_after = 2026-12-01\n"
            "[[sources.secrets]]\nid = 'x'\nremove_after = 2026-12-02\n",
            'hookvitals.toml, line 9: sources[1].secrets[1].id: "x" is there twice',
        ),
        (
            '[[endpoints]]\nsource = "a"\nname = "b"\nurl = "https://a.b/"\nprobe_canary = true\n',
            "hookvitals.toml, line 5: endpoints[0].probe_canary: a canary is signed: add a replay_secret",
        ),
        (
            '[[endpoints]]\nsource = "a"\nname = "b"\nurl = "https://a.b/"\nprobe_matches = "("\n',
            "hookvitals.toml, line 5: endpoints[0].probe_matches: ",
        ),
    ],
)
def test_mistake_is_shown_with_file_line_key_and_form(tmp_path: Path, text: str, said: str) -> None:
    assert refusal(tmp_path, text).startswith(said)


def test_secret_written_by_mistake_is_not_repeated(tmp_path: Path) -> None:
    text = '[[channels]]\nkind = "slack"\nname = "x"\nurl = "https://hooks.slack.com/T0/hunter2"\n'
    assert "hunter2" not in refusal(tmp_path, text)


@pytest.mark.parametrize("line", ['environment = "dev"', "insecure = true"])
def test_plain_http_is_taken_where_it_was_meant(tmp_path: Path, line: str) -> None:
    text = f'[[endpoints]]\nsource = "a"\nname = "b"\nurl = "http://localhost/"\n{line}\n'
    assert load(written(tmp_path, text), {}).document.endpoints[0].url == "http://localhost/"


def test_a_key_that_is_wrong_by_itself_hides_no_other_mistake(tmp_path: Path) -> None:
    text = (
        '[[rules]]\nkind = "error_rate"\nwindow = "b"\nthreshold = 5\n'
        '[[routes]]\nchannels = ["desk"]\nmatchers = { sorce = "a" }\nextra.deep = 1\n'
        "[egress]\nallow = [1, 2]\n"
    )
    file = written(tmp_path, text)
    _, problems = checked(read_toml(file)[0], file, text)
    keys = [problem.split(": ")[1] for problem in problems]
    assert keys == [
        "rules[0].window",
        "routes[0].matchers",
        "routes[0].extra",
        "egress.allow[0]",
        "egress.allow[1]",
        "rules[0].threshold",
        "routes[0].channels",
    ]


def test_every_problem_of_a_file_is_listed(tmp_path: Path) -> None:
    text = '[[rules]]\nkind = "error_rate"\na = 1\nwindow = "b"\n'
    file = written(tmp_path, text)
    raw, source = read_toml(file)
    document, problems = checked(raw, file, source)
    assert document is None
    assert len(problems) == 2
    assert "1 more" in refusal(tmp_path, text)


def test_report_goes_by_email_only(tmp_path: Path) -> None:
    text = '[report]\nchannel = "team"\n[[channels]]\nkind = "slack"\nname = "team"\nurl = { env = "A" }\n'
    assert "reports go by email" in refusal(tmp_path, text)


def test_document_does_not_change() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Document().egress = Document().egress
