"""Where an org writes down what logins must survive a restart: in a table of its own, as JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lht.simulator.store.database import Database

TABLE = "_oauth"


class Keeper:
    """Small values by kind and name."""

    def __init__(self, db: Database) -> None:
        self._db = db
        db.execute(f"CREATE TABLE IF NOT EXISTS {TABLE} (kind VARCHAR, name VARCHAR, value VARCHAR)")

    def load(self, kind: str) -> dict[str, Any]:
        """Gives every value of a kind by name."""
        found = self._db.rows(f"SELECT name, value FROM {TABLE} WHERE kind = ?", [kind])
        return {str(name): json.loads(str(value)) for name, value in found}

    def save(self, kind: str, name: str, value: object) -> None:
        """Writes a value in the place of the one that was there."""
        with self._db.transaction() as connection:
            connection.execute(f"DELETE FROM {TABLE} WHERE kind = ? AND name = ?", [kind, name])
            connection.execute(f"INSERT INTO {TABLE} VALUES (?, ?, ?)", [kind, name, json.dumps(value)])

    def drop(self, kind: str, name: str) -> None:
        """Forgets a value, if it is there."""
        self._db.execute(f"DELETE FROM {TABLE} WHERE kind = ? AND name = ?", [kind, name])
