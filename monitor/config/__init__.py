"""Process settings and hookvitals.toml: read, checked, frozen.

The only reader of the environment. It opens no store and no socket; an error names the file, the line, the
key and the form that was expected.
"""

from monitor.config.advice import advice
from monitor.config.document import Document
from monitor.config.here import adopt, bare_environment, child_environment, environment, load_here
from monitor.config.load import Loaded, checked, load, placed, stored, validated
from monitor.config.logs import set_up_logs
from monitor.config.secret_key import secret_key
from monitor.config.secrets import resolve
from monitor.config.settings import Settings, settings_table
from monitor.config.values import SecretRef

__all__ = [
    "Document",
    "Loaded",
    "SecretRef",
    "Settings",
    "adopt",
    "advice",
    "bare_environment",
    "checked",
    "child_environment",
    "environment",
    "load",
    "load_here",
    "placed",
    "resolve",
    "secret_key",
    "set_up_logs",
    "settings_table",
    "stored",
    "validated",
]
