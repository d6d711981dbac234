from __future__ import annotations

import pytest

from lht.sfdc.redact import redact


@pytest.mark.parametrize(
    "text",
    [
        "token 00D000000000001!AQ_s3cret.x",
        "Authorization: Bearer s3cret0000",
        'x {"access_token": "s3cret", "a": 1}',
        "client_secret=s3cret&x=1",
        "refresh_token: s3cret",
        "https://me:s3cret@proxy:3128/",
        "sid=s3cret;",
    ],
)
def test_secrets_are_masked(text: str) -> None:
    assert "s3cret" not in redact(text)
    assert "***" in redact(text)


@pytest.mark.parametrize(
    "text", ["No such column 'Nope' on entity 'Account'", "id 001D000000IRt5wIAD", "user me@example.com"]
)
def test_other_text_stays_word_for_word(text: str) -> None:
    assert text == redact(text)
