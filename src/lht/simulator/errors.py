"""What the local org answers when it refuses: Salesforce's codes, texts and HTTP statuses."""

from __future__ import annotations


class SimulatorError(Exception):
    """The local org itself cannot start or continue (a busy port, an unreadable schema file)."""


class ApiFault(Exception):  # noqa: N818 - the word for an error answer, not an error of ours
    """An error answer: its HTTP status and the one entry of Salesforce's error array."""

    def __init__(self, status: int, code: str, message: str, fields: tuple[str, ...] | None = None) -> None:
        super().__init__(f"{code}: {message}")
        self.status = status
        self.code = code
        self.message = message
        self.fields = fields


def not_found() -> ApiFault:
    """Gives the answer to an address that leads nowhere."""
    return ApiFault(404, "NOT_FOUND", "The requested resource does not exist")


class ManyFound(ApiFault):
    """The answer to an external id that several records hold: HTTP 300, with their addresses instead of an error."""

    def __init__(self, object_name: str, record_ids: tuple[str, ...], label: str) -> None:
        super().__init__(300, "DUPLICATE_EXTERNAL_ID", f"more than one record found: {', '.join(record_ids)}")
        self.object_name = object_name
        self.record_ids = record_ids
        self.label = label

    def of_row(self) -> ApiFault:
        """Gives the refusal of one record among others, which begins with the label of the field."""
        listed = ", ".join(self.record_ids)
        message = f"{self.label}: more than one record found for external id field: [{listed}]"
        return ApiFault(400, self.code, message, ())


class DuplicatesFound(ApiFault):
    """The answer to a record that a duplicate rule finds others like, which it names."""

    def __init__(
        self, object_name: str, rule: str, message: str, record_ids: tuple[str, ...], *, allow_save: bool
    ) -> None:
        super().__init__(400, "DUPLICATES_DETECTED", message)
        self.object_name = object_name
        self.rule = rule
        self.record_ids = record_ids
        self.allow_save = allow_save


class WrongType(ApiFault):
    """The answer to a value that its field's type cannot be read from.

    A JSON body is refused for it as such, by a text of its own: `server.json_places` writes that.
    """

    def __init__(self, label: str, name: str, field_type: str, value: object) -> None:
        message = f"{label}: value not of required type: {value}"
        super().__init__(400, "INVALID_TYPE_ON_FIELD_IN_RECORD", message, (name,))
        self.name = name
        self.field_type = field_type
        self.value = value


class OAuthFault(Exception):  # noqa: N818 - as above
    """An error answer of the OAuth endpoints: an object, not an array."""

    def __init__(self, error: str, description: str, status: int = 400) -> None:
        super().__init__(f"{error}: {description}")
        self.error = error
        self.description = description
        self.status = status
