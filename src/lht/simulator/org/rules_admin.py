"""Rules of an object added and dropped while the org runs."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from lht.simulator.org import rules

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lht.simulator.org.catalog import Catalog
    from lht.simulator.org.fields_admin import FieldAdmin


class RuleAdmin:
    """Keeps an object's rules with its fields, so that they last as long."""

    def __init__(self, fields: FieldAdmin, catalog: Catalog) -> None:
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

    def drop(self, object_name: str, kind: str, name: str) -> None:
        """Ends a rule."""
        schema = self._catalog.need(object_name)
        self._fields.change(schema, rules.without_rule(schema, kind, name))
