"""Who may see and change a record, and why."""

from __future__ import annotations

from lht.simulator.org.schemas.fields import (
    READ_ONLY,
    REQUIRED,
    SYSTEM,
    Facts,
    is_deleted,
    lookup,
    picklist,
    record_id,
    stamp,
)
from lht.simulator.org.schemas.schema import ObjectSchema

LEVELS = ("Read", "Edit", "All")
WITH_NONE = ("None", *LEVELS)
CAUSES = ("Owner", "Manual", "Rule", "ImplicitChild", "ImplicitParent", "Team", "Territory")
GIVEN: Facts = REQUIRED | {"restricted_picklist": True}


def share(parent: str, prefix: str, *, further: tuple[str, ...] = (), fixed: bool = False) -> ObjectSchema:
    """The sharing of an object; `further` names objects whose sharing it decides too, `fixed` that nobody writes it."""
    closed: Facts = READ_ONLY if fixed else {}
    key: Facts = REQUIRED | closed | {"updateable": False}
    fields = (
        record_id(f"{parent} Share ID"),
        lookup(f"{parent}Id", f"{parent} ID", parent, key, child_relationship="Shares", child_cascade=True),
        lookup("UserOrGroupId", "User/Group ID", ("Group", "User"), key),
        picklist(f"{parent}AccessLevel", f"{parent} Access", 40, LEVELS, GIVEN | closed),
        *(picklist(f"{name}AccessLevel", f"{name} Access", 40, WITH_NONE, GIVEN, nillable=name == "Contact")
          for name in further),
        picklist("RowCause", "Row Cause", 40, CAUSES, closed, restricted_picklist=True, updateable=False, permissionable=False),
        stamp("LastModifiedDate", "Last Modified Date", SYSTEM, nillable=False, defaulted_on_create=True),
        lookup("LastModifiedById", "Last Modified By ID", "User", SYSTEM, nillable=False, defaulted_on_create=True),
        is_deleted(),
    )  # fmt: skip
    label = f"{parent} Share"
    return ObjectSchema(
        f"{parent}Share", label, label, prefix, fields,
        createable=not fixed, updateable=not fixed, deletable=not fixed, undeletable=False, replicateable=False,
    )  # fmt: skip


SHARES = (
    share("Account", "00r", further=("Opportunity", "Case", "Contact")),
    share("Campaign", "08s", fixed=True),
    share("Case", "01n"),
    share("Contact", "03s", fixed=True),
    share("Lead", "01o"),
    share("Opportunity", "00t"),
)
SHARE_OF = {schema.name.removesuffix("Share"): schema.name for schema in SHARES}
