"""What seeded campaign members and cases show of their people: the same as one that is made by REST."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lht.simulator.org.effects.looked_up import CONTACT_COPIES, PERSON_COPIES, PLACE, SAME
from lht.simulator.org.writes.rows import stored_names
from lht.simulator.store.ddl import quoted

if TYPE_CHECKING:
    from lht.simulator.org.schemas.catalog import Catalog
    from lht.simulator.store.database import Connection


def copy_people(connection: Connection, catalog: Catalog) -> None:
    """Fills the copies of all members at once; no stamp moves, as copies move none."""
    member = catalog.object("CampaignMember")
    for kind in PERSON_COPIES:
        person = catalog.object(kind)
        if not member or not person or f"{kind}Id" not in (shown := stored_names(member)):
            continue
        known = {f"p.{quoted(name)}" for name in stored_names(person)}
        copies = {
            name: value for name, value in _copies(kind).items() if name in shown and known >= _read(value)
        }
        if copies:
            assigned = ", ".join(f"{quoted(name)} = {value}" for name, value in copies.items())
            connection.execute(
                f'UPDATE "CampaignMember" SET {assigned} FROM {quoted(kind)} p '
                f'WHERE p."Id" = "CampaignMember".{quoted(kind + "Id")}'
            )


def copy_contacts(connection: Connection, catalog: Catalog) -> None:
    """Fills what cases show of their contacts, likewise."""
    case, contact = catalog.object("Case"), catalog.object("Contact")
    if not case or not contact or "ContactId" not in (shown := stored_names(case)):
        return
    held = stored_names(contact)
    copies = [
        f"{quoted(copy)} = p.{quoted(name)}"
        for name, copy in CONTACT_COPIES.items()
        if name in held and copy in shown
    ]
    if copies:
        connection.execute(
            f'UPDATE "Case" SET {", ".join(copies)} FROM "Contact" p WHERE p."Id" = "Case"."ContactId"'
        )


def _copies(kind: str) -> dict[str, str]:
    return {
        **{name: f'p."{name}"' for name in SAME},
        **{name: f'p."{PERSON_COPIES[kind]}{name}"' for name in PLACE},
        "CompanyOrAccount": 'p."Company"' if kind == "Lead" else _ACCOUNT_NAME,
        "LeadOrContactOwnerId": 'p."OwnerId"',
    }


_ACCOUNT_NAME = '(SELECT a."Name" FROM "Account" a WHERE a."Id" = p."AccountId")'


def _read(value: str) -> set[str]:
    return {'p."AccountId"'} if value == _ACCOUNT_NAME else {value}
