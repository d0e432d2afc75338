"""How a control store becomes this version's: `upgrade` brings it there, `require_head` refuses another.

Each revision runs in one transaction, so that an interrupted upgrade leaves the store as it was.
"""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine

from monitor.errors import WrongSchema
from monitor.store.control.engine import make_file, open_engine, read, write

COMMAND = "hookvitals db upgrade"


def upgrade(url: str) -> tuple[str | None, str]:
    """Brings the control store to the head, making it when there is none; (revision before, after).

    Raises WrongSchema for a store made by a newer version, Unavailable when it cannot be written.
    """
    make_file(url)
    engine = open_engine(url)
    try:
        with write(engine) as tx:
            before = _revision(MigrationContext.configure(tx))
            _refuse_unknown(before)
            if tx.dialect.name == "postgresql":
                tx.exec_driver_sql("SET LOCAL statement_timeout = 0")  # an index may take its time
            config = _config()
            config.attributes["connection"] = tx
            command.upgrade(config, "head")
        return before, head()
    finally:
        engine.dispose()


def require_head(engine: Engine) -> None:
    """Nothing, when the store is of this version. Raises WrongSchema with the command to run."""
    with read(engine) as tx:
        found = _revision(MigrationContext.configure(tx))
    _refuse_unknown(found)
    if found != head():
        state = "has no tables yet" if found is None else f"is at schema {found}, this version needs {head()}"
        raise WrongSchema(f"the control store {state}", f"run `{COMMAND}`")


def head() -> str:
    """The revision that this version of the code works with."""
    found = _scripts().get_current_head()
    assert found is not None, "the package carries its migrations"
    return found


def _revision(context: MigrationContext) -> str | None:
    return context.get_current_revision()


def _refuse_unknown(found: str | None) -> None:
    if found is not None and found not in {script.revision for script in _scripts().walk_revisions()}:
        raise WrongSchema(
            f"the control store was made by another version of hookvitals (schema {found})",
            f"install that version or a newer one, or restore a backup, then run `{COMMAND}`",
        )


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    return config


def _scripts() -> ScriptDirectory:
    return ScriptDirectory.from_config(_config())
