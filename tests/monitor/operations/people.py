"""Who acts in the tests of operations."""

from monitor.operations import Actor
from monitor.store.control.accounts import Role

VIEWER = Actor("vera", Role.VIEWER, "ui")
OPERATOR = Actor("olaf", Role.OPERATOR, "ui")
ADMIN = Actor("ada", Role.ADMIN, "cli")
PASSWORD = "correct horse battery"
