"""The connections.toml that `lht init` writes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lht.config.files import DIRECTORY, parse_toml, read_text, write_private
from lht.config.sources import CONFIG_FILE, FILE, SECTION
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

# Snowflake, with the keys of its own connector. account is ORGANIZATION-ACCOUNT, from Snowsight: account menu,
# View account details. This file takes the place of the connections in config.toml for Snowflake's own tools too.
# A key pair is for programs: openssl genrsa 2048 | openssl pkcs8 -topk8 -inform PEM -out rsa_key.p8
# [myconnection]
# account = "myorg-myaccount"
# user = "lht_service"
# private_key_file = "rsa_key.p8"
# private_key_passphrase = "${SNOWFLAKE_KEY_PASSPHRASE}"
# role = "lht_loader"
# warehouse = "lht_wh"
# database = "salesforce"
# schema = "raw"

# With a programmatic access token:
# [snowflake_token]
# account = "myorg-myaccount"
# user = "lht_service"
# authenticator = "PROGRAMMATIC_ACCESS_TOKEN"
# token = "${SNOWFLAKE_TOKEN}"
# role = "lht_loader"
# warehouse = "lht_wh"
# database = "salesforce"
# schema = "raw"

# As yourself, in a browser (single sign-on):
# [snowflake_browser]
# account = "myorg-myaccount"
# user = "me@example.com"
# authenticator = "externalbrowser"
# client_store_temporary_credential = true
# role = "lht_loader"
# warehouse = "lht_wh"
# database = "salesforce"
# schema = "raw"

# With a password, where the account still allows one:
# [snowflake_password]
# account = "myorg-myaccount"
# user = "your_user"
# password = "${SNOWFLAKE_PASSWORD}"
# warehouse = "lht_wh"
# database = "salesforce"
# schema = "raw"
"""


def write_template(cwd: Path) -> Path:
    """Writes `.snowflake/connections.toml` with everything commented out; an existing one is never touched."""
    path = cwd.absolute() / DIRECTORY / FILE
    if path.exists():
        raise ConfigError(f"{path} exists already.", hint="Edit it, or move it away first.")
    _refuse_to_hide(path)
    write_private(path, TEMPLATE)
    _ignore_in_git(path.parent / ".gitignore")
    return path


def _refuse_to_hide(path: Path) -> None:
    """Refuses a file whose presence alone would hide the connections of config.toml from Snowflake's own tools."""
    config = path.with_name(CONFIG_FILE)
    text = read_text(config)
    if text is not None and parse_toml(text, config).get(SECTION):
        raise ConfigError(
            f"{config} holds connections, which {FILE} beside it would hide from Snowflake's tools.",
            hint=f"Add yours there, as [{SECTION}.name], or run 'lht init' in your project's folder.",
        )


def _ignore_in_git(path: Path) -> None:
    """Keeps the directory's secrets out of a repository."""
    if not path.exists():
        path.write_text("*\n", encoding="utf-8")
