"""Where the processes are reached, as the settings say or as they listen."""

from monitor.config import Settings

ANY = {"0.0.0.0": "127.0.0.1", "::": "::1"}


def collector_url(settings: Settings) -> str:
    """Where this machine's processes reach the collector."""
    return settings.collector_url.rstrip("/") or url_of(settings.collector_host, settings.collector_port)


def public_url(settings: Settings) -> str:
    """Where people reach the dashboard, the base path included, without a final slash."""
    stated = settings.public_url.rstrip("/")
    return stated or url_of(settings.dashboard_host, settings.dashboard_port) + settings.base_path.rstrip("/")


def url_of(host: str, port: int) -> str:
    dialled = ANY.get(host, host)
    return f"http://[{dialled}]:{port}" if ":" in dialled else f"http://{dialled}:{port}"
