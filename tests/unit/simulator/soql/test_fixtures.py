"""Every query of tests/fixtures/soql finds the rows, or gets the refusal, written beside it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lht.simulator.errors import ApiFault

if TYPE_CHECKING:
    from collections.abc import Callable

    from lht.simulator.soql.compile import Compiled

FOLDER = Path(__file__).parents[3] / "fixtures" / "soql"


def _blocks(name: str) -> list[tuple[str, list[str]]]:
    found = []
    for block in (FOLDER / name).read_text(encoding="utf-8").strip().split("\n\n"):
        query, *expected = block.splitlines()
        if not query.startswith("#"):
            found.append((query, expected))
    return found


@pytest.mark.parametrize(("query", "expected"), _blocks("rows.txt"))
def test_query_finds_its_rows(
    query: str, expected: list[str], rows: Callable[..., list[tuple[object, ...]]]
) -> None:
    found = sorted((row[0] for row in rows(query)), key=str)

    assert sorted(json.loads(expected[0]), key=str) == found


@pytest.mark.parametrize(("query", "expected"), _blocks("refused.txt"))
def test_query_is_refused_in_salesforces_words(
    query: str, expected: list[str], compiled: Callable[..., Compiled]
) -> None:
    with pytest.raises(ApiFault) as caught:
        compiled(query.removeprefix("bulk: "), bulk=query.startswith("bulk: "))

    code, *message = expected
    assert (400, code) == (caught.value.status, caught.value.code)
    assert "\n".join(line[1:] for line in message) == caught.value.message
