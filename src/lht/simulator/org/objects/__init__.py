"""The objects a fresh org has, one module for each or for a family of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lht.simulator.org.objects.account import ACCOUNT
from lht.simulator.org.objects.companions import ACCOUNT_HISTORY, ACCOUNT_SHARE, ATTACHMENT
from lht.simulator.org.objects.contact import CONTACT
from lht.simulator.org.objects.opportunity import OPPORTUNITY
from lht.simulator.org.objects.specimen import SPECIMEN
from lht.simulator.org.objects.task import TASK
from lht.simulator.org.objects.user import ORGANIZATION, USER

if TYPE_CHECKING:
    from lht.simulator.org.schema import ObjectSchema

STANDARD: tuple[ObjectSchema, ...] = (
    ACCOUNT,
    ACCOUNT_HISTORY,
    ACCOUNT_SHARE,
    ATTACHMENT,
    CONTACT,
    OPPORTUNITY,
    ORGANIZATION,
    SPECIMEN,
    TASK,
    USER,
)
"""In the order of describeGlobal: by name."""
