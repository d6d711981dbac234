"""Rules of an object added and dropped while the org runs."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from lht.simulator.org.rules import rules
from lht.simulator.org.rules.record_type_rules import new_record_type, put_record_types, with_record_types
from lht.simulator.org.rules.record_types import record_types
from lht.simulator.org.schemas.fields_admin import add_statements

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lht.simulator.org.clock import Clock
    from lht.simulator.org.schemas.catalog import Catalog
    from lht.simulator.org.schemas.fields_admin import FieldAdmin
    from lht.simulator.store.database import Database


class RuleAdmin:
    """Keeps an object's rules with its fields, so that they last as long."""

    def __init__(self, db: Database, fields: FieldAdmin, catalog: Catalog, clock: Clock) -> None:
        self._db = db
        self._clock = clock
        self._fields = fields
        self._catalog = catalog

    def listed(self, object_name: str, kind: str) -> list[dict[str, Any]]:
        """Gives the rules of an object; `kind` is validation_rules or duplicate_rules."""
        return [asdict(rule) for rule in getattr(self._catalog.need(object_name), kind)]

    def add_validation(self, object_name: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Adds a validation rule, or puts it in the place of the one of that name."""
        schema = self._catalog.need(object_name)
        new = rules.with_validation_rule(self._catalog, schema, rules.validation_rule(body))
        self._fields.change(schema, new)
        return asdict(new.validation_rules[-1])

    def add_duplicate(self, object_name: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Adds a duplicate rule, or puts it in the place of the one of that name."""
        schema = self._catalog.need(object_name)
        new = rules.with_duplicate_rule(schema, rules.duplicate_rule(body))
        self._fields.change(schema, new)
        return asdict(new.duplicate_rules[-1])

    def record_types(self, object_name: str) -> list[dict[str, Any]]:
        """Gives the record types of an object, Master last."""
        schema = self._catalog.need(object_name)
        with self._db.reading() as cursor:
            return [asdict(kind) for kind in record_types(cursor, self._catalog, schema.name)]

    def put_record_type(self, object_name: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Adds a record type, or changes the one of that developer name."""
        kind = new_record_type(body)
        schema = self._catalog.need(object_name)
        new = with_record_types(schema)
        if new is not schema:
            self._fields.change(schema, new, add_statements(schema, new.fields[-1]))
        with self._db.transaction() as connection:
            now = self._clock.stamp()
            (record_id,) = put_record_types(connection, self._catalog, schema.name, [kind], now)
        return {"id": record_id, **asdict(kind)}

    def drop(self, object_name: str, kind: str, name: str) -> None:
        """Ends a rule."""
        schema = self._catalog.need(object_name)
        self._fields.change(schema, rules.without_rule(schema, kind, name))
