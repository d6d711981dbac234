"""What environment variables say. The mapping is passed in; nothing here looks at the process."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lht.errors import ConfigError, SecretUnavailableError
from lht.sfdc.transport import Network

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

ACCESS_TOKEN = "LHT_SALESFORCE_ACCESS_TOKEN"  # noqa: S105  # the variable's name
INSTANCE_URL = "LHT_SALESFORCE_INSTANCE_URL"
# The first prefix wins where both set the same key.
_PREFIXES = ("LHT_CONNECTIONS_", "SNOWFLAKE_CONNECTIONS_")
# The first that is set decides, as in Snowflake's connector (`config_manager.py`).
_SKIPS_WARNINGS = (
    "SF_SKIP_TOKEN_FILE_PERMISSIONS_VERIFICATION",
    "SKIP_TOKEN_FILE_PERMISSIONS_VERIFICATION",
    "SF_SKIP_WARNING_FOR_READ_PERMISSIONS_ON_CONFIG_FILE",
)
_REFERENCE = re.compile(r"\$(\$?)\{([A-Za-z_][A-Za-z0-9_]*)\}")


@dataclass(frozen=True, slots=True)
class Environment:
    """The variables that LHT knows; an empty one counts as unset."""

    variables: Mapping[str, str] = field(repr=False)
    username: str | None = None
    db_connect: str | None = None
    schema: str | None = None
    access_token: str | None = field(default=None, repr=False)
    instance_url: str | None = None
    api_version: str | None = None
    default_connection: str | None = None
    has_keyring: bool = False
    skips_permission_warnings: bool = False
    network: Network = field(default_factory=Network)

    def expand(self, text: str, where: str) -> str:
        """Replaces `${NAME}` by the variable's value; `$${NAME}` stands for the text `${NAME}` itself."""

        def value(match: re.Match[str]) -> str:
            if match[1]:
                return match[0][1:]
            if match[2] not in self.variables:
                raise SecretUnavailableError(
                    f"{where} refers to the environment variable {match[2]}, which is not set.",
                    hint=f"Set it: export {match[2]}=…",
                )
            return self.variables[match[2]]

        return _REFERENCE.sub(value, text)

    def expanded(self, value: object, where: str) -> object:
        """A file's value with its references replaced, inside tables and lists too."""
        if isinstance(value, str):
            return self.expand(value, where)
        if isinstance(value, dict):
            return {key: self.expanded(item, where) for key, item in value.items()}
        if isinstance(value, list):
            return [self.expanded(item, where) for item in value]
        return value

    def generic(self, key: str) -> str | None:
        """What `SNOWFLAKE_<KEY>` says for every connection that does not say it itself; an empty one says nothing."""
        return self.variables.get(f"SNOWFLAKE_{key.upper()}") or None

    def overrides(self, names: Iterable[str]) -> dict[str, dict[str, str]]:
        """Values of `LHT_CONNECTIONS_<NAME>_<KEY>` and Snowflake's own spelling, by connection and key.

        Where one connection's name begins another's, a variable belongs to the longer name.
        """
        longest_first = sorted(names, key=len, reverse=True)
        found: dict[str, dict[str, str]] = {}
        for prefix in reversed(_PREFIXES):
            for variable, value in self.variables.items():
                owner = _owner(variable.upper(), prefix, longest_first)
                if owner:
                    key = variable[len(prefix) + len(owner) + 1 :].lower()
                    found.setdefault(owner, {})[key] = value
        return found


def _owner(variable: str, prefix: str, names: list[str]) -> str | None:
    for name in names:
        start = f"{prefix}{_spelled(name)}_"
        if variable.startswith(start) and len(variable) > len(start):
            return name
    return None


def _spelled(name: str) -> str:
    """A connection's name as variables spell it: capitals, and no character that shells refuse."""
    return re.sub(r"[^A-Z0-9_]", "_", name.upper())


def read_environment(variables: Mapping[str, str]) -> Environment:
    """Picks the variables that LHT knows."""

    def get(*names: str) -> str | None:
        return next((variables[name].strip() for name in names if variables.get(name, "").strip()), None)

    access_token, instance_url = get(ACCESS_TOKEN), get(INSTANCE_URL)
    if bool(access_token) != bool(instance_url):
        missing = INSTANCE_URL if access_token else ACCESS_TOKEN
        raise ConfigError(
            f"{missing} is not set.",
            hint=f"{ACCESS_TOKEN} and {INSTANCE_URL} make a login together: set both.",
        )
    return Environment(
        variables=variables,
        username=get("LHT_USERNAME"),
        db_connect=get("LHT_DB_CONNECT"),
        schema=get("LHT_SCHEMA"),
        access_token=access_token,
        instance_url=instance_url,
        api_version=get("LHT_SALESFORCE_API_VERSION"),
        default_connection=get("SNOWFLAKE_DEFAULT_CONNECTION_NAME"),
        skips_permission_warnings=(get(*_SKIPS_WARNINGS) or "").lower() == "true",
        has_keyring=(get("LHT_KEYRING") or "").lower() in {"1", "true", "yes", "on"},
        network=Network(
            http_proxy=get("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"),
            https_proxy=get("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"),
            no_proxy=get("no_proxy", "NO_PROXY") or "",
            ca_file=get("SSL_CERT_FILE"),
        ),
    )
