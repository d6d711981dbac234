from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from lht.simulator.errors import SimulatorError
from lht.simulator.store.database import Database

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lht.simulator.org.org import Org


@pytest.fixture
def db() -> Iterator[Database]:
    db = Database()
    yield db
    db.close()


def test_a_failed_transaction_leaves_nothing(db: Database) -> None:
    db.execute("CREATE TABLE t (a INTEGER)")

    def fail() -> None:
        with db.transaction() as connection:
            connection.execute("INSERT INTO t VALUES (1)")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()

    assert db.count("SELECT count(*) FROM t") == 0


def test_readers_do_not_see_what_is_not_committed(db: Database) -> None:
    db.execute("CREATE TABLE t (a INTEGER)")
    with db.transaction() as connection:
        connection.execute("INSERT INTO t VALUES (1)")
        assert db.count("SELECT count(*) FROM t") == 0

    assert db.count("SELECT count(*) FROM t") == 1


def test_a_place_that_cannot_hold_a_database_is_an_error_of_ours(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")

    with pytest.raises(SimulatorError, match="cannot open the org"):
        Database(tmp_path / "file")


def test_many_threads_write_and_read_at_once(org: Org) -> None:
    def work(number: int) -> str:
        made = org.records.create("Account", {"Name": f"n{number}"})
        org.records.update("Account", made, {"Phone": str(number)})
        org.queries.query("SELECT Id, Name FROM Account", batch_size=3)
        return made

    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(work, range(40)))

    assert len(set(made)) == 40
    assert org.queries.query("SELECT COUNT() FROM Account WHERE Phone != null")["totalSize"] == 40
