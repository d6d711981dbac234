"""The connections.toml that `lht init` writes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lht.config.files import DIRECTORY, write_private
from lht.config.sources import FILE
from lht.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

TEMPLATE = """\
# Connections of LHT: Salesforce apps and warehouses, one table each. Keys ignore letter case.
# ${NAME} is read from the environment, so that no secret need stand here.

# A Salesforce app is a table with a CLIENT_ID (an External Client App of your org). Its flow says how to log in:
# "web" opens a browser; the app's callback URL is http://localhost:1717/OauthRedirect.
# "client-credentials" needs no browser: enable that flow in the app, with a run-as user, and set my_domain.
# "jwt" needs no secret: set username and private_key_path, and upload the key's certificate to the app.
# [salesforce_web]
# CLIENT_ID = "your_client_id"
# sandbox = false
# flow = "web"

# [salesforce_prod]
# CLIENT_ID = "your_client_id"
# CLIENT_SECRET = "${SALESFORCE_CLIENT_SECRET}"
# sandbox = false
# my_domain = "mycompany.my.salesforce.com"
# flow = "client-credentials"

# A sandbox: the same, with its own domain.
# [salesforce_sandbox]
# CLIENT_ID = "your_client_id"
# CLIENT_SECRET = "${SALESFORCE_SANDBOX_CLIENT_SECRET}"
# sandbox = true
# my_domain = "mycompany--dev.sandbox.my.salesforce.com"
# flow = "client-credentials"

# A login that the Salesforce CLI has; username is a user name or an alias. It needs no app of yours.
# [salesforce_cli]
# type = "salesforce"
# flow = "sf-cli"
# username = "my_alias"

# A local org, from 'lht simulator start' (http:// is for this machine only).
# [local_org]
# CLIENT_ID = "as it prints"
# CLIENT_SECRET = "as it prints"
# login_url = "http://127.0.0.1:8788"
# flow = "client-credentials"

# A warehouse in a file. Without any warehouse here, ./lht.duckdb is used.
# [lake]
# type = "duckdb"
# path = "lake.duckdb"

# Snowflake, with the keys of its own connector.
# [myconnection]
# account = "your_account"
# user = "your_user"
# password = "${SNOWFLAKE_PASSWORD}"
# warehouse = "your_warehouse"
# database = "your_database"
# schema = "your_schema"
"""


def write_template(cwd: Path) -> Path:
    """Writes `.snowflake/connections.toml` with everything commented out; an existing one is never touched."""
    path = cwd.absolute() / DIRECTORY / FILE
    if path.exists():
        raise ConfigError(f"{path} exists already.", hint="Edit it, or move it away first.")
    write_private(path, TEMPLATE)
    _ignore_in_git(path.parent / ".gitignore")
    return path


def _ignore_in_git(path: Path) -> None:
    """Keeps the directory's secrets out of a repository."""
    if not path.exists():
        path.write_text("*\n", encoding="utf-8")
