"""The objects a fresh org has, one module for each or for a family of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lht.simulator.org.objects.account import ACCOUNT
from lht.simulator.org.objects.attachment import ATTACHMENT
from lht.simulator.org.objects.beside import ASSET, DANDB_COMPANY, INDIVIDUAL, OPERATING_HOURS
from lht.simulator.org.objects.campaign import CAMPAIGN, CAMPAIGN_MEMBER, CAMPAIGN_MEMBER_STATUS
from lht.simulator.org.objects.contact import CONTACT
from lht.simulator.org.objects.event import EVENT
from lht.simulator.org.objects.history import HISTORIES
from lht.simulator.org.objects.lead import LEAD
from lht.simulator.org.objects.opportunity import OPPORTUNITY
from lht.simulator.org.objects.opportunity_parts import CONTACT_ROLE, LINE_ITEM, OPPORTUNITY_HISTORY
from lht.simulator.org.objects.product import PRICEBOOK2, PRICEBOOK_ENTRY, PRODUCT2
from lht.simulator.org.objects.setup_objects import CALENDAR, GROUP, PROFILE, RECORD_TYPE, USER_ROLE
from lht.simulator.org.objects.sharing import SHARES
from lht.simulator.org.objects.specimen import SPECIMEN
from lht.simulator.org.objects.support_case import CASE
from lht.simulator.org.objects.task import TASK
from lht.simulator.org.objects.user import ORGANIZATION, USER

if TYPE_CHECKING:
    from lht.simulator.org.schemas.schema import ObjectSchema

_OBJECTS = (
    ACCOUNT, ASSET, ATTACHMENT, CALENDAR, CAMPAIGN, CAMPAIGN_MEMBER, CAMPAIGN_MEMBER_STATUS, CASE, CONTACT, CONTACT_ROLE,
    DANDB_COMPANY, EVENT, GROUP, INDIVIDUAL, LEAD, LINE_ITEM, OPERATING_HOURS, OPPORTUNITY, OPPORTUNITY_HISTORY,
    ORGANIZATION, PRICEBOOK2, PRICEBOOK_ENTRY, PRODUCT2, PROFILE, RECORD_TYPE, SPECIMEN, TASK, USER, USER_ROLE,
)  # fmt: skip

STANDARD: tuple[ObjectSchema, ...] = tuple(
    sorted((*_OBJECTS, *HISTORIES, *SHARES), key=lambda schema: schema.name)
)
"""In the order of describeGlobal: by name."""
