from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from lht.config.project import Project, SyncEntry, load_project
from lht.errors import ConfigError
from lht.model.sync import DeletePolicy
from lht.model.table import ColumnKind, ColumnType

if TYPE_CHECKING:
    from pathlib import Path

WHOLE = """
version = 1

[[sync]]
object = "Account"
table = "MY_ACCOUNTS"
where = "Type = 'Customer'"
fields = ["Id", "Name"]
exclude = "Notes__c, Other__c"
deletes = "Remove"
full_every = "7d"
refresh_formulas_every = "12 h"

[[sync]]
object = "Contact"

[types]
Amount__c = "number(18,2)"
Account.Short__c = "string(255)"
"Contact.Day__c" = "DATE"
"""


def load(tmp_path: Path, text: str) -> Project:
    (tmp_path / "lht.toml").write_text(text)
    return load_project(tmp_path)


def test_a_whole_file_is_read(tmp_path: Path) -> None:
    project = load(tmp_path, WHOLE)

    assert project.path == tmp_path / "lht.toml"
    assert project.syncs == (
        SyncEntry(
            object="Account",
            table="MY_ACCOUNTS",
            where="Type = 'Customer'",
            fields=("Id", "Name"),
            exclude=("Notes__c", "Other__c"),
            deletes=DeletePolicy.REMOVE,
            full_every=timedelta(days=7),
            refresh_formulas_every=timedelta(hours=12),
        ),
        SyncEntry(object="Contact"),
    )
    assert project.types == {
        "Amount__c": ColumnType(ColumnKind.DECIMAL, precision=18, scale=2),
        "Account.Short__c": ColumnType(ColumnKind.TEXT, length=255),
        "Contact.Day__c": ColumnType(ColumnKind.DATE),
    }


def test_no_file_is_an_empty_project(tmp_path: Path) -> None:
    assert load_project(tmp_path) == Project()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("versoin = 1", r"lht\.toml, line 1: unknown key 'versoin'.*'version'"),
        ("version = 2", r"line 1: version 2"),
        (
            '[[sync]]\nobject = "A"\n[[sync]]\nobject = "B"\ntabel = "x"',
            r"line 5: unknown key 'tabel' in \[\[sync\]\].*'table'",
        ),
        ('[[sync]]\ntable = "x"', r"line 1: \[\[sync\]\] names no object"),
        ('[sync]\nobject = "A"', r"line 1: .*two brackets"),
        ("types = 5", r"line 1: types is not a table"),
        ('[[sync]]\nobject = "A"\nfull_every = "often"', r'line 3: full_every.*"7d"'),
        ('[[sync]]\nobject = "A"\nfull_every = "0d"', r"line 3: full_every"),
        ('[[sync]]\nobject = "A"\ndeletes = "marc"', r"line 3: deletes cannot be 'marc'.*'mark'"),
        ('[[sync]]\nobject = "A"\nfields = [1]', r"line 3: fields is not a list"),
        ('[[sync]]\nobject = "A"\nwhere = 5', r"line 3: where is not a text"),
        ('[types]\nA__c = "date"\nB__c = "blob"', r"line 3: B__c: "),
        ('[types]\nAccount.B__c = "blob"', r"lht\.toml, line 2: Account\.B__c: "),
        ("[[sync]\n", r"lht\.toml is not valid TOML: .*line 1"),
    ],
)
def test_every_mistake_names_its_line_and_the_nearest_key(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        load(tmp_path, text)
