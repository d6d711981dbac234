"""Validation rules and duplicate rules: read from plain values, checked to make sense, and kept by every write."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

from lht.simulator.errors import ApiFault, DuplicatesFound
from lht.simulator.org.schemas.catalog import Catalog
from lht.simulator.org.schemas.facts import check_kinds
from lht.simulator.org.schemas.schema import DuplicateRule, ObjectSchema, ValidationRule
from lht.simulator.org.user_time import user_time
from lht.simulator.org.writes import rows
from lht.simulator.soql.compile import compile_query
from lht.simulator.soql.parse import parse
from lht.simulator.store.ddl import column_type, quoted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lht.simulator.org.clock import Clock
    from lht.simulator.org.effects.derive import Row
    from lht.simulator.org.writes.working_set import WorkingSet
    from lht.simulator.org.writes.write_options import WriteOptions
    from lht.simulator.soql.compile import Compiled
    from lht.simulator.store.database import Connection, Database

Rule = TypeVar("Rule", ValidationRule, DuplicateRule)
NO_ID = "000000000000000AAA"
"""What a record is called that has no id yet."""
EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
ACTIONS = ("block", "allow")
MOST_MATCHES = 100


def validation_rule(body: Mapping[str, Any]) -> ValidationRule:
    """Reads a validation rule; raises ValueError for what is none."""
    _check(ValidationRule, body, ("name", "condition", "message"))
    return ValidationRule(**body)


def duplicate_rule(body: Mapping[str, Any]) -> DuplicateRule:
    """Reads a duplicate rule; raises ValueError for what is none."""
    _check(DuplicateRule, body, ("name", "fields"))
    names = body["fields"]
    if not names or not all(isinstance(name, str) for name in names):
        raise ValueError(f"fields must be names of fields, not {names!r}")
    if body.get("action", "block") not in ACTIONS:
        raise ValueError(f"action must be one of {', '.join(ACTIONS)}, not {body['action']!r}")
    return DuplicateRule(**{**body, "fields": tuple(names)})


def _check(kind: type, body: Mapping[str, Any], needed: tuple[str, ...]) -> None:
    check_kinds(kind, body)
    for key in needed:
        if not body.get(key) or (isinstance(body[key], str) and not body[key].strip()):
            raise ValueError(f"{key} is missing")


def with_validation_rule(catalog: Catalog, schema: ObjectSchema, rule: ValidationRule) -> ObjectSchema:
    """Gives the object with that rule; raises ValueError where its condition or field makes no sense."""
    try:
        _compiled(catalog, schema, rule, now=EPOCH)
    except ApiFault as fault:
        raise ValueError(f"condition: {fault.message.strip()}") from None
    if rule.field is not None:
        rule = replace(rule, field=_known(schema, rule.field))
    return replace(schema, validation_rules=_put(schema.validation_rules, rule))


def with_duplicate_rule(schema: ObjectSchema, rule: DuplicateRule) -> ObjectSchema:
    """Gives the object with that rule; raises ValueError if it has no such fields."""
    rule = replace(rule, fields=tuple(_known(schema, name) for name in rule.fields))
    return replace(schema, duplicate_rules=_put(schema.duplicate_rules, rule))


def without_rule(schema: ObjectSchema, kind: str, name: str) -> ObjectSchema:
    """Gives the object without the rule of that name; `kind` is validation_rules or duplicate_rules."""
    rules: tuple[ValidationRule | DuplicateRule, ...] = getattr(schema, kind)
    kept: Any = tuple(rule for rule in rules if rule.name.lower() != name.lower())
    if len(kept) == len(rules):
        raise ApiFault(404, "NOT_FOUND", f"{schema.name} has no rule {name}")
    if kind == "validation_rules":
        return replace(schema, validation_rules=kept)
    return replace(schema, duplicate_rules=kept)


def check_dependents(catalog: Catalog, new: ObjectSchema) -> None:
    """Refuses a shape of an object under which a rule that is there, also of another object, could not be judged."""
    shapes = tuple(new if schema.name == new.name else schema for schema in catalog)
    trial = _unveiled(Catalog(shapes))
    for schema in trial:
        known: tuple[ValidationRule | DuplicateRule, ...] = (
            *schema.validation_rules,
            *schema.duplicate_rules,
        )
        for rule in known:
            try:
                _check_rule(trial, schema, rule)
            except (ApiFault, ValueError):
                message = f"the rule {rule.name} of {schema.name} needs it as it is; end that rule first"
                raise ApiFault(400, "DEPENDENCY_EXISTS", message) from None


def _check_rule(catalog: Catalog, schema: ObjectSchema, rule: ValidationRule | DuplicateRule) -> None:
    if isinstance(rule, ValidationRule):
        with_validation_rule(catalog, schema, rule)
    else:
        with_duplicate_rule(schema, rule)


def _put(rules: tuple[Rule, ...], rule: Rule) -> tuple[Rule, ...]:
    kept = [known for known in rules if known.name.lower() != rule.name.lower()]
    kept.append(rule)
    return tuple(kept)


def _known(schema: ObjectSchema, name: str) -> str:
    field = schema.find(name)
    if field is None or not field.has_column:
        raise ValueError(f"{schema.name} has no field {name!r} with values of its own")
    return field.name


@dataclass(frozen=True, slots=True)
class RuleBook:
    """Checks records against the rules of their object, before they are written."""

    db: Database
    catalog: Catalog
    clock: Clock
    user_id: str

    def check(
        self,
        work: WorkingSet,
        schema: ObjectSchema,
        record: tuple[str | None, Row, Row],
        options: WriteOptions,
    ) -> None:
        """Refuses a record, given as its id, the whole row as it would be, and what of it was sent."""
        record_id, row, sent = record
        for rule in schema.validation_rules:
            if rule.active and self._is_true(work.reading(), schema, rule, row | {"Id": record_id or NO_ID}):
                raise _broken(rule, is_new=record_id is None)
        for same in schema.duplicate_rules:
            touched = record_id is None or any(name in sent for name in same.fields)
            if same.active and touched and not (options.allow_save and same.action == "allow"):
                _check_duplicates(work.reading(), schema, same, row, record_id)

    def _is_true(self, connection: Connection, schema: ObjectSchema, rule: ValidationRule, row: Row) -> bool:
        """Asks the condition of a table in which the record is as it would be."""
        compiled = self._compiled(schema, rule)
        cells = ", ".join(
            f"CAST(? AS {column_type(kind)}) AS {quoted(name)}" for name, kind in schema.kinds.items()
        )
        table = quoted(schema.name)
        sql = (
            f'WITH {table} AS (SELECT * FROM main.{table} WHERE "Id" <> ? UNION ALL BY NAME '
            f"SELECT {cells}, false AS _hidden, NULL::BIGINT AS _seq) SELECT count(*) FROM ({compiled.sql}) WHERE c0 = ?"
        )
        values = [row.get(name) for name in schema.kinds]
        found = connection.execute(sql, [row["Id"], *values, *compiled.params, row["Id"]]).fetchone()
        return bool(found and found[0])

    def _compiled(self, schema: ObjectSchema, rule: ValidationRule) -> Compiled:
        """Compiles a condition, which may speak of fields that the user does not see."""
        times = user_time(self.db, self.catalog, self.user_id)
        how = {"now": self.clock.now(), "timezone": times.timezone, "fiscal_start": times.fiscal_start}
        try:
            return _compiled(self.catalog, schema, rule, **how)
        except ApiFault:
            return _compiled(_unveiled(self.catalog), schema, rule, **how)


def _compiled(catalog: Catalog, schema: ObjectSchema, rule: ValidationRule, **how: Any) -> Compiled:
    tree = parse(f"SELECT Id FROM {schema.name} WHERE {rule.condition}")
    if tree.order_by or tree.group_by or tree.limit is not None or tree.offset is not None:
        raise ApiFault(400, "MALFORMED_QUERY", f"only a condition is needed: {rule.condition}")
    return compile_query(tree, catalog, include_deleted=True, **how)


def _broken(rule: ValidationRule, *, is_new: bool) -> ApiFault:
    """Gives the answer to a record that breaks a rule; a trigger that fails is told with what it failed of."""
    fields = () if rule.field is None else (rule.field,)
    if rule.trigger is None:
        return ApiFault(400, "FIELD_CUSTOM_VALIDATION_EXCEPTION", rule.message, fields)
    event = "BeforeInsert" if is_new else "BeforeUpdate"
    message = f"{rule.trigger}: execution of {event}\n\ncaused by: {rule.message}\n\nTrigger.{rule.trigger}: line 1, column 1"
    return ApiFault(400, "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", message, fields)


def _unveiled(catalog: Catalog) -> Catalog:
    return Catalog(
        tuple(
            replace(schema, fields=tuple(replace(field, hidden=False) for field in schema.fields))
            for schema in catalog
        )
    )


def _check_duplicates(
    connection: Connection, schema: ObjectSchema, rule: DuplicateRule, row: Row, record_id: str | None
) -> None:
    """Letter case does not tell records apart, and what is empty agrees with nothing."""
    values = [row.get(name) for name in rule.fields]
    if any(value is None for value in values):
        return
    terms = [
        f"lower({quoted(name)}) = lower(?)" if isinstance(value, str) else f"{quoted(name)} = ?"
        for name, value in zip(rule.fields, values, strict=True)
    ]
    terms += ['"Id" <> ?', "_hidden IS NOT TRUE"]
    terms += ['"IsDeleted" IS NOT TRUE'] if "IsDeleted" in rows.stored_names(schema) else []
    sql = f'SELECT "Id" FROM {quoted(schema.name)} WHERE {" AND ".join(terms)} ORDER BY "Id" LIMIT {MOST_MATCHES}'
    found = connection.execute(sql, [*values, record_id or NO_ID]).fetchall()
    if found:
        ids = tuple(str(match[0]) for match in found)
        raise DuplicatesFound(schema.name, rule.name, rule.message, ids, allow_save=rule.action == "allow")
