"""What can be said of PostgreSQL without a server: every revision renders its SQL."""

import io

from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.script import ScriptDirectory

from monitor.store.control.migrations import _config
from monitor.store.control.schema import metadata


def rendered() -> str:
    """The SQL of every revision for PostgreSQL."""
    out = io.StringIO()
    context = MigrationContext.configure(
        dialect_name="postgresql", opts={"as_sql": True, "output_buffer": out}
    )
    with Operations.context(context):
        for script in reversed(list(ScriptDirectory.from_config(_config()).walk_revisions())):
            script.module.upgrade()
    return out.getvalue()


def test_every_table_and_the_guard_of_the_audit_are_made_on_postgresql() -> None:
    sql = rendered()

    for table in metadata.tables:
        assert f"CREATE TABLE {table} (" in sql
    assert "CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit" in sql
