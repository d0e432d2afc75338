"""Alembic's entry: runs the revisions on the connection that `upgrade` hands over, inside its transaction."""

from alembic import context

from monitor.store.control.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=False,  # the transaction is the caller's: one for all revisions
)
context.run_migrations()
