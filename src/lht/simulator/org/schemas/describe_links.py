"""The addresses that a describe names, and the scopes that a list of records may have."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lht.simulator.org.schemas.schema import ObjectSchema

OLD_FORM = 48
"""The last version whose describes are known to name default values, and to lack the keys that came later."""
ACTIVITIES = frozenset({"Event", "Task"})
OF_THE_ROW = {
    "Case": {
        "caseArticleSuggestions": "/suggestedArticles",
        "caseRowArticleSuggestions": "/{ID}/suggestedArticles",
    },
    "Event": {"eventSeriesUpdates": "/{ID}/fromThisEventOnwards"},
    "User": {"passwordUtilities": "/{ID}/password"},
}
SCOPE_LABELS = {
    "delegated": "My delegated {objects}",
    "everything": "All {objects}",
    "genericteam": "My case teams {objects}",
    "mine": "My {objects}",
    "queue_owned": "Queue owned {objects}",
    "scopingRule": "Filter by scope",
    "team": "My team's {objects}",
    "team_by_role": "My role-based team's {objects}",
    "user_owned": "User owned {objects}",
}


def is_old(version: str) -> bool:
    """Tells whether a version, such as `v48.0`, has describes of the old form."""
    number = version.removeprefix("v").partition(".")[0]
    return number.isdigit() and int(number) <= OLD_FORM


def scopes(schema: ObjectSchema, version: str) -> list[dict[str, str]]:
    """Gives the scopes in the order of their names."""
    names = {"everything", *schema.scopes} | ({"mine"} if schema.find("OwnerId") else set())
    if is_old(version):
        names -= {"scopingRule"}
    objects = schema.label_plural.lower()
    return [{"label": SCOPE_LABELS[name].format(objects=objects), "name": name} for name in sorted(names)]


def listed_urls(schema: ObjectSchema, version: str, shown: dict[str, bool]) -> dict[str, str]:
    """Gives the addresses that both describes name; `shown` says what people can do with the object on a page."""
    base = f"/services/data/{version}/sobjects/{schema.name}"
    urls = {"rowTemplate": f"{base}/{{ID}}", "describe": f"{base}/describe", "sobject": base}
    if shown["layoutable"]:
        urls |= {name: f"{base}/describe/{name}" for name in ("layouts", "compactLayouts")}
        urls["quickActions"] = f"{base}/quickActions"
    if shown["searchable"] and shown["layoutable"] and schema.name not in ACTIVITIES:
        urls |= {"approvalLayouts": f"{base}/describe/approvalLayouts", "listviews": f"{base}/listviews"}
    return urls | {name: base + tail for name, tail in OF_THE_ROW.get(schema.name, {}).items()}


def page_urls(schema: ObjectSchema, version: str, shown: dict[str, bool], base_url: str) -> dict[str, str]:
    """Gives the addresses that only the describe of one object names: of pages, and of default values."""
    if not shown["layoutable"]:
        return {}
    urls = {
        "uiDetailTemplate": f"{base_url}/{{ID}}",
        "uiEditTemplate": f"{base_url}/{{ID}}/e",
        "uiNewRecord": f"{base_url}/{schema.key_prefix}/e",
    }
    if is_old(version) and schema.name not in ACTIVITIES:
        base = f"/services/data/{version}/sobjects/{schema.name}"
        urls["defaultValues"] = f"{base}/defaultValues?recordTypeId&fields"
    return urls
