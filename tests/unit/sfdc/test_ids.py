from __future__ import annotations

import pytest

from lht.sfdc.ids import to_18


@pytest.mark.parametrize(
    "long", ["001D000000IRt5wIAD", "750P0000006HoS1IAK", "001P000001vkheIIAQ", "005P000000AyPpYIAV"]
)
def test_fifteen_characters_get_the_three_that_salesforce_gives(long: str) -> None:
    assert long == to_18(long[:15])


def test_eighteen_characters_stay() -> None:
    assert to_18("001D000000IRt5wIAD") == "001D000000IRt5wIAD"


@pytest.mark.parametrize("text", ["", "001", "001D000000IRt5wI", "001D000000IRt5-", "00D000000000001!AQ"])
def test_anything_else_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError, match="15 or 18"):
        to_18(text)
