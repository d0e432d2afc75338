"""The tables of a file, and how a file of an earlier version gets those of now.

The version stands in the file (`PRAGMA user_version`). A file from before there were versions says 0, as an
empty one does.
"""

import sqlite3
from typing import Callable, NamedTuple, Sequence


class Newer(Exception):
    """A later version of this package wrote the file: what it holds cannot be known here."""


class Schema(NamedTuple):
    """version: from 1, and one more with each change of the tables. tables: statements that may be repeated.

    migrate: what a file of an earlier version needs before these make sense.
    """

    version: int
    tables: Sequence[str]
    migrate: Callable[[sqlite3.Connection], None] = lambda db: None

    def bring(self, db: sqlite3.Connection) -> None:
        """Makes the file one of this version, in one transaction under its lock. Raises Newer."""
        if self.written(db):
            return
        db.execute("BEGIN IMMEDIATE")
        try:
            if not self.written(db):  # no other process was faster
                self.migrate(db)
                for statement in self.tables:
                    db.execute(statement)
                db.execute(f"PRAGMA user_version = {self.version}")
            db.execute("COMMIT")
        except BaseException:
            if db.in_transaction:
                db.execute("ROLLBACK")
            raise

    def written(self, db: sqlite3.Connection) -> bool:
        """Whether the file is one of this version. Raises Newer for one of a later version."""
        found = int(db.execute("PRAGMA user_version").fetchone()[0])
        if found > self.version:
            raise Newer(
                f"a newer hookvitals wrote it (version {found} of its tables; here {self.version} is known): "
                "install that one again, or name another file"
            )
        return found == self.version
