from __future__ import annotations

import pytest

from lht.config.environment import read_environment
from lht.errors import ConfigError


def test_known_variables_are_picked_and_empty_ones_count_as_unset() -> None:
    found = read_environment(
        {
            "LHT_USERNAME": "me@example.com",
            "LHT_DB_CONNECT": " lake ",
            "LHT_SCHEMA": "",
            "LHT_SALESFORCE_API_VERSION": "60.0",
            "LHT_KEYRING": "yes",
            "HTTPS_PROXY": "http://proxy:3128",
            "NO_PROXY": "example.com",
            "SSL_CERT_FILE": "/ca.pem",
        }
    )

    assert (found.username, found.db_connect, found.schema) == ("me@example.com", "lake", None)
    assert (found.api_version, found.has_keyring) == ("60.0", True)
    assert (found.network.https_proxy, found.network.no_proxy) == ("http://proxy:3128", "example.com")
    assert found.network.ca_file == "/ca.pem"


@pytest.mark.parametrize("name", ["LHT_SALESFORCE_ACCESS_TOKEN", "LHT_SALESFORCE_INSTANCE_URL"])
def test_half_a_login_names_the_missing_half(name: str) -> None:
    with pytest.raises(ConfigError, match="set both"):
        read_environment({name: "x"})


def test_no_secret_shows_in_the_repr() -> None:
    found = read_environment(
        {
            "LHT_SALESFORCE_ACCESS_TOKEN": "s3cret",
            "LHT_SALESFORCE_INSTANCE_URL": "https://x",
            "HTTPS_PROXY": "http://me:s3cret@proxy",
            "OTHER": "s3cret",
        }
    )

    assert "s3cret" not in repr(found)
