"""The query's columns matched to fields, by describe: all that is wrong with them is found at once. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from lht.errors import UnknownObjectError
from lht.mapping.names import nearest
from lht.model.retl import Mistake, Operation, SentColumn

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lht.model.retl import RetlRequest
    from lht.model.salesforce import Field, SObject

    Describe = Callable[[str], SObject]

ID: Final = "Id"
UNSENDABLE: Final = frozenset({"address", "location", "base64", "junctionidlist"})
"""Types whose values no CSV column takes: compounds are written by their parts, files by other calls."""
TEXTS: Final = frozenset({"string", "textarea", "phone", "url", "email", "combobox", "encryptedstring"})
RESULT_KEY_LENGTH: Final = 40
"""Room for a run's id, a colon and a row number."""
_LEAVE_OUT: Final = "Leave the column out of the query."


@dataclass(frozen=True, slots=True)
class Matched:
    """What the columns became. `columns` is whole only where there are no `mistakes`."""

    columns: tuple[SentColumn, ...]
    mistakes: tuple[Mistake, ...] = ()
    warnings: tuple[str, ...] = ()


@dataclass(slots=True)
class _Findings:
    """What is said while columns are matched."""

    mistakes: list[Mistake] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    renamed: list[str] = field(default_factory=list)

    def refuse(self, code: str, message: str, way_out: str, column: str | None = None) -> None:
        self.mistakes.append(Mistake(code, message, column=column, way_out=way_out))


def match_columns(
    sobject: SObject, names: Sequence[str], request: RetlRequest, describe: Describe
) -> Matched:
    """Matches each column to what it is sent as; a column that `--map` names goes where that says.

    A delete sends the Id alone; the other columns only stay with the rows, for its results.
    """
    matcher = _Matcher(sobject, request, describe, _Findings())
    return matcher.match(names)


def find_field(sobject: SObject, name: str) -> Field | None:
    """Finds a field by its name, or by its name without what Salesforce adds to custom ones."""
    if found := sobject.find(name) or sobject.find(f"{name}__c"):
        return found
    packaged = [field for field in sobject.fields if field.name.lower().endswith(f"__{name.lower()}__c")]
    return packaged[0] if len(packaged) == 1 else None


@dataclass(frozen=True, slots=True)
class _Matcher:
    sobject: SObject
    request: RetlRequest
    describe: Describe
    said: _Findings

    @property
    def operation(self) -> Operation:
        return self.request.operation

    def match(self, names: Sequence[str]) -> Matched:
        self._check_object()
        self._check_map(names)
        key = self._key_field()
        found = [column for name in names if (column := self._column(name)) is not None]
        found = self._mark_key(found, key)
        if self.operation is Operation.DELETE:
            found = [column for column in found if column.is_key]
        self._check_duplicates(found)
        self._check_writable(found)
        self._check_required(found)
        columns = (*found, *self._result_key(found))
        if not any(not column.is_key for column in columns) and self.operation is Operation.UPDATE:
            self.said.refuse(
                "NOTHING_TO_WRITE",
                "The query gives no column to write beside Id.",
                "Select the fields to change.",
            )
        renamed = [f"Sent under other names: {', '.join(self.said.renamed)}."] if self.said.renamed else []
        return Matched(tuple(columns), tuple(self.said.mistakes), (*renamed, *self.said.warnings))

    # ---- the object and the match key

    def _check_object(self) -> None:
        allowed = {
            Operation.INSERT: self.sobject.createable,
            Operation.UPDATE: self.sobject.updateable,
            Operation.UPSERT: self.sobject.createable or self.sobject.updateable,
            Operation.DELETE: self.sobject.deletable,
        }
        if not allowed.get(self.operation, True):
            self.said.refuse(
                "NOT_ALLOWED",
                f"This login may not {self.operation} records of {self.sobject.name}.",
                "Ask the org's administrator for the permission, or use another login (--username).",
            )

    def _key_field(self) -> Field | None:
        """The field that finds records; None where the operation needs none, or what was given cannot be one."""
        wanted = self.request.match_field
        if self.operation in {Operation.UPDATE, Operation.DELETE}:
            return self._id_only(wanted)
        if wanted is None:
            if self.operation is Operation.UPSERT:
                self.said.refuse(
                    "NO_MATCH_FIELD",
                    "An upsert needs to know by which field to find records.",
                    f"Add --field. {self._known_keys()}",
                )
            return None
        found = find_field(self.sobject, wanted)
        if found is None:
            self.said.refuse(
                "UNKNOWN_FIELD",
                f"{self.sobject.name} has no field {wanted!r}, or the login may not see it.",
                f"Correct --field. {self._known_keys()}",
            )
            return None
        if self.operation is Operation.UPSERT and not (
            found.external_id or found.id_lookup or found.type == "id"
        ):
            self.said.refuse(
                "BAD_MATCH_FIELD",
                f"Salesforce cannot find records of {self.sobject.name} by {found.name}: it is no external id.",
                f"Choose another --field, or tick 'External ID' in the field's definition. {self._known_keys()}",
            )
        return found

    def _id_only(self, wanted: str | None) -> Field | None:
        if wanted is not None and wanted.lower() != ID.lower():
            self.said.refuse(
                "BAD_MATCH_FIELD",
                f"An {self.operation} finds records by Id, not by {wanted}."
                if self.operation is Operation.UPDATE
                else f"A {self.operation} finds records by Id, not by {wanted}.",
                "Use retl_upsert to change records by an external id, or select their Ids."
                if self.operation is Operation.UPDATE
                else "Select the records' Ids.",
            )
        return self.sobject.find(ID)

    def _known_keys(self) -> str:
        keys = [known.name for known in self.sobject.fields if known.external_id or known.id_lookup]
        return f"{self.sobject.name} can be found by {', '.join(keys)}." if keys else ""

    def _mark_key(self, found: list[SentColumn], key: Field | None) -> list[SentColumn]:
        if key is None:
            return found
        marked = [replace(c, is_key=True) if c.parent is None and c.header == key.name else c for c in found]
        if not any(column.is_key for column in marked):
            self.said.refuse(
                "NO_MATCH_COLUMN",
                f"The query gives no column for {key.name}, by which records are found.",
                f"Select it: SELECT … AS {key.name}.",
            )
        return marked

    # ---- names

    def _check_map(self, names: Sequence[str]) -> None:
        known = {name.lower() for name in names}
        for column in self.request.options.mapping:
            if column.lower() not in known:
                self.said.refuse(
                    "UNKNOWN_COLUMN",
                    f"--map names the column {column!r}, which the query does not give.",
                    nearest(column, names) or f"The query gives {', '.join(names)}.",
                )

    def _column(self, name: str) -> SentColumn | None:
        mapping = {column.lower(): target for column, target in self.request.options.mapping.items()}
        wanted = mapping.get(name.lower(), name)
        if self.operation is Operation.DELETE and wanted.lower() != ID.lower():
            return None
        if ":" in wanted or "." in wanted:
            return self._related(name, wanted)
        found = find_field(self.sobject, wanted)
        if found is not None:
            if found.name.lower() != wanted.lower():
                self.said.renamed.append(f"{name} as {found.name}")
            return SentColumn(found.name, name, found, found.name)
        related = self._underscored(name, wanted)
        if related is None:
            self._unknown(name, wanted)
        return related

    def _unknown(self, name: str, wanted: str) -> None:
        known = [field.name for field in self.sobject.fields]
        near = nearest(wanted, known) or nearest(f"{wanted}__c", known)
        self.said.refuse(
            "UNKNOWN_FIELD",
            f"{self.sobject.name} has no field {wanted!r}, or the login may not see it.",
            f"{near} Name it by --map {name}=Field, or leave the column out.".lstrip(),
            name,
        )

    # ---- relationships

    def _related(self, name: str, wanted: str) -> SentColumn | None:
        """Reads `Rel.Field` or `Type:Rel.Field`; the type stands exactly where the lookup has several targets."""
        kind, _, path = wanted.rpartition(":")
        relationship, _, parent_field = path.partition(".")
        lookup = self._lookup(relationship)
        if lookup is None or not parent_field or "." in parent_field:
            self._bad_path(name, wanted, relationship, parent_field)
            return None
        parent = self._parent(name, kind, lookup, parent_field)
        if parent is None:
            return None
        return self._sent_path(name, parent, lookup, parent_field)

    def _lookup(self, relationship: str) -> Field | None:
        for known in self.sobject.fields:
            if known.relationship_name and known.relationship_name.lower() == relationship.lower():
                return known
        return None

    def _bad_path(self, name: str, wanted: str, relationship: str, parent_field: str) -> None:
        if "." in parent_field:
            self.said.refuse(
                "BAD_RELATIONSHIP",
                f"{wanted} goes over more than one relationship, which Salesforce does not take.",
                "Name a field of the parent itself.",
                name,
            )
            return
        known = [field.relationship_name for field in self.sobject.fields if field.relationship_name]
        self.said.refuse(
            "UNKNOWN_RELATIONSHIP",
            f"{self.sobject.name} has no relationship {relationship!r}.",
            nearest(relationship, known) or f"It has {', '.join(known) or 'none'}.",
            name,
        )

    def _parent(self, name: str, kind: str, lookup: Field, parent_field: str) -> SObject | None:
        targets = {target.lower(): target for target in lookup.reference_to}
        relationship = lookup.relationship_name
        if not kind and len(targets) > 1:
            choices = [f"{target}:{relationship}.{parent_field}" for target in lookup.reference_to[:3]]
            self.said.refuse(
                "AMBIGUOUS_RELATIONSHIP",
                f"{lookup.name} may point at {len(targets)} objects, so {relationship}.{parent_field} does not say which.",
                f"Name the column {' or '.join(choices)}.",
                name,
            )
            return None
        wanted = targets.get(kind.lower()) if kind else next(iter(targets.values()), None)
        if wanted is None:
            near = nearest(kind, lookup.reference_to) or f"It points at {', '.join(lookup.reference_to[:5])}."
            self.said.refuse("UNKNOWN_OBJECT", f"{lookup.name} does not point at {kind}.", near, name)
            return None
        try:
            return self.describe(wanted)
        except UnknownObjectError:
            self.said.refuse(
                "UNKNOWN_OBJECT",
                f"The login may not see {wanted}, which {lookup.name} points at.",
                f"Send the record's Id in {lookup.name}.",
                name,
            )
            return None

    def _sent_path(self, name: str, parent: SObject, lookup: Field, wanted: str) -> SentColumn | None:
        found = parent.find(wanted) or parent.find(f"{wanted}__c")
        if found is None:
            self.said.refuse(
                "UNKNOWN_FIELD",
                f"{parent.name} has no field {wanted!r}, or the login may not see it.",
                nearest(wanted, (f.name for f in parent.fields)),
                name,
            )
            return None
        if found.type == "id":
            return SentColumn(lookup.name, name, lookup, lookup.name)
        if not (found.external_id or found.id_lookup):
            keys = ", ".join(f.name for f in parent.fields if f.external_id or f.id_lookup)
            self.said.refuse(
                "BAD_RELATIONSHIP",
                f"Salesforce cannot find {parent.name} by {found.name}: it is no external id.",
                f"{parent.name} can be found by {keys}.",
                name,
            )
            return None
        path = f"{lookup.relationship_name}.{found.name}"
        header = f"{parent.name}:{path}" if len(lookup.reference_to) > 1 else path
        return SentColumn(header, name, found, lookup.name, parent.name)

    def _underscored(self, name: str, wanted: str) -> SentColumn | None:
        """Reads `Account_Key__c` as `Account.Key__c`: a synced table names such columns so."""
        for lookup in self.sobject.fields:
            relationship = lookup.relationship_name
            if not relationship or len(lookup.reference_to) != 1:
                continue
            if not wanted.lower().startswith(f"{relationship.lower()}_"):
                continue
            try:
                parent = self.describe(lookup.reference_to[0])
            except UnknownObjectError:
                continue
            found = parent.find(wanted[len(relationship) + 1 :])
            if found is not None and (found.external_id or found.id_lookup):
                column = self._sent_path(name, parent, lookup, found.name)
                self.said.renamed.append(f"{name} as {column.header if column else ''}")
                return column
        return None

    # ---- what Salesforce lets one write

    def _check_duplicates(self, found: Sequence[SentColumn]) -> None:
        first: dict[str, SentColumn] = {}
        for column in found:
            other = first.setdefault(column.target, column)
            if other is not column:
                self.said.refuse(
                    "SAME_FIELD",
                    f"The columns {other.column} and {column.column} both write {column.target}.",
                    "Leave one of them out.",
                    column.column,
                )

    def _check_writable(self, found: Sequence[SentColumn]) -> None:
        for column in found:
            target = self.sobject.find(column.target)
            if target is None or column.is_key:
                continue
            if target.type in UNSENDABLE:
                self.said.refuse(
                    "UNSUPPORTED_TYPE",
                    f"{target.name} is of the type {target.type}, which cannot be sent as a column.",
                    _LEAVE_OUT,
                    column.column,
                )
            elif target.type == "id":
                self.said.refuse(
                    "READ_ONLY", "Salesforce itself gives new records their Id.", _LEAVE_OUT, column.column
                )
            elif not self._may_write(target):
                self.said.refuse(
                    "READ_ONLY",
                    f"{target.name} of {self.sobject.name} {_why_read_only(target)}.",
                    _LEAVE_OUT,
                    column.column,
                )
            elif self.operation is Operation.UPSERT and not (target.createable and target.updateable):
                when = "new" if target.createable else "existing"
                self.said.warnings.append(
                    f"{target.name} can be written to {when} records only; others of the upsert will fail."
                )

    def _may_write(self, target: Field) -> bool:
        match self.operation:
            case Operation.INSERT:
                return target.createable
            case Operation.UPDATE:
                return target.updateable
            case _:
                return target.createable or target.updateable

    def _check_required(self, found: Sequence[SentColumn]) -> None:
        if self.operation not in {Operation.INSERT, Operation.UPSERT}:
            return
        missing = [
            f.name for f in required_fields(self.sobject, found) if f.name not in {c.target for c in found}
        ]
        if not missing:
            return
        listed = ", ".join(missing)
        if self.operation is Operation.INSERT:
            self.said.refuse(
                "REQUIRED_FIELD_MISSING",
                f"New records of {self.sobject.name} need {listed}, which the query does not give.",
                f"Select a column for {'it' if len(missing) == 1 else 'each of them'}.",
            )
        else:
            self.said.warnings.append(
                f"New records of {self.sobject.name} need {listed}, which the query does not give: only existing records can be written."
            )

    def _result_key(self, found: Sequence[SentColumn]) -> tuple[SentColumn, ...]:
        """The column that carries each new record's run and row, where `--result_key` names a field for them."""
        wanted = self.request.options.result_key
        if wanted is None or not self._inserts():
            return ()
        target = find_field(self.sobject, wanted)
        if target is None:
            self.said.refuse(
                "UNKNOWN_FIELD",
                f"{self.sobject.name} has no field {wanted!r}, or the login may not see it.",
                f"Correct --result_key. {nearest(wanted, (f.name for f in self.sobject.fields))}".rstrip(),
            )
            return ()
        if target.type not in TEXTS or not target.createable or target.length < RESULT_KEY_LENGTH:
            self.said.refuse(
                "BAD_RESULT_KEY",
                f"{target.name} cannot carry the key of a result.",
                f"--result_key needs a text field of {RESULT_KEY_LENGTH} characters or more that can be written to new records.",
            )
            return ()
        if any(column.target == target.name for column in found):
            self.said.refuse(
                "SAME_FIELD",
                f"The query writes {target.name}, which --result_key needs.",
                "Leave the column out, or choose another --result_key.",
            )
            return ()
        return (SentColumn(target.name, "", target, target.name),)

    def _inserts(self) -> bool:
        return self.operation is Operation.INSERT or (
            self.operation is Operation.UPSERT and self.request.options.insert_missing
        )


def required_fields(sobject: SObject, columns: Sequence[SentColumn]) -> list[Field]:
    """Gives the fields without which Salesforce makes no record.

    A person account's Name is made of its other names, though describe calls Name required.
    """
    needed = [f for f in sobject.fields if f.createable and not f.nillable and not f.defaulted_on_create]
    is_person = sobject.name == "Account" and any(column.target == "LastName" for column in columns)
    return [f for f in needed if not (is_person and f.name == "Name")]


def _why_read_only(target: Field) -> str:
    if target.calculated:
        return "is a formula or roll-up"
    if target.createable:
        return "can be written only when a record is made"
    if target.updateable:
        return "cannot be written when a record is made"
    return "is read-only for this login"
