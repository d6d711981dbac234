"""What a describe saved from a real org says, told by this one: word for word, under its own addresses."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

_ADDRESS = re.compile(r"^/services/data/v[^/]+/")
CHILDREN = "childRelationships"


def with_saved(told: dict[str, Any], saved: Mapping[str, Any], version: str) -> dict[str, Any]:
    """Gives what the org would say of an object with the saved facts in its place.

    Custom relationships that only this org has, from a schema file, stand behind those of the describe.
    """
    if not saved:
        return told
    children = list(saved.get(CHILDREN) or ())
    known = {_relation(child) for child in children}
    ours = [child for child in told[CHILDREN] if str(child["field"]).endswith("__c")]
    more = [child for child in ours if _relation(child) not in known]
    return {**told, **at_version(dict(saved), version), CHILDREN: [*children, *more]}


def at_version(value: Any, version: str) -> Any:
    """Gives a value whose addresses are those of a version."""
    if isinstance(value, str):
        return _ADDRESS.sub(f"/services/data/{version}/", value)
    if isinstance(value, dict):
        return {key: at_version(inner, version) for key, inner in value.items()}
    return [at_version(inner, version) for inner in value] if isinstance(value, list) else value


def _relation(child: Mapping[str, Any]) -> tuple[object, object]:
    return child.get("childSObject"), child.get("field")
