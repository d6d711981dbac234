"""The user's query: checked to be one that only reads, run once, its rows put into `source`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from lht.errors import PlanRefusedError, StatementError
from lht.warehouse.port import Statement

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import pyarrow as pa

    from lht.retl.run import RetlRun

ROW_NUMBER = "row_number"
_WRITING = {"INSERT", "UPDATE", "DELETE", "MERGE", "INTO", "TRUNCATE", "DROP", "CREATE", "ALTER"}
_HINT = "Give one statement: SELECT … or WITH … SELECT …."
_UNREADABLE = "Correct the query. Tables that it names without a schema are looked for in --schema, or in the connection's own."
_QUERY_STARTS = {"SELECT", "WITH", "L_PAREN"}


def check_query(text: str, *, dialect: str) -> None:
    """Raises PlanRefusedError unless a text is one statement that only reads.

    Where the warehouse knows grammar that the parser does not, what certainly is one SELECT is left to it to judge.
    """
    from sqlglot import parse  # noqa: PLC0415 - slow to load, and only reverse ETL needs it
    from sqlglot.errors import ParseError  # noqa: PLC0415

    tokens = _statement_tokens(text, dialect)
    if tokens[0].token_type.name not in _QUERY_STARTS:
        raise _refused(f"it begins with {tokens[0].text.upper()}")
    try:
        (tree,) = [found for found in parse(text, dialect=dialect) if found is not None]
    except ParseError as error:
        _check_tokens(tokens, error)
    except (RecursionError, ValueError):
        _check_tokens(tokens, None)
    else:
        _check_tree(tree)


def bare_query(text: str, *, dialect: str) -> str:
    """Gives a query without the semicolon that ends it and what follows: some drivers see a second statement there."""
    last = _statement_tokens(text, dialect)[-1]
    return text[: last.end + 1]


def _statement_tokens(text: str, dialect: str) -> list[Any]:
    """Gives the tokens of the one statement that a text holds."""
    from sqlglot import tokenize  # noqa: PLC0415
    from sqlglot.errors import TokenError  # noqa: PLC0415

    try:
        tokens = tokenize(text, read=dialect)
    except TokenError as error:
        raise _refused(f"it cannot be read: {_one_line(str(error))}") from error
    while tokens and tokens[-1].token_type.name == "SEMICOLON":
        tokens.pop()
    if not tokens:
        raise _refused("it is empty")
    for token in tokens:
        if token.token_type.name == "SEMICOLON":
            raise _refused(f"it holds several statements (a semicolon in line {token.line})")
    return tokens


def _check_tokens(tokens: Sequence[Any], error: Any) -> None:
    """Refuses what could not be parsed, unless no word in it can write."""
    for token in tokens:
        if token.token_type.name in _WRITING or _is_writing_word(token):
            where = f"{token.text.upper()} in line {token.line}"
            raise _refused(f"it does more than read: {where}{_place(error)}")


def _is_writing_word(token: Any) -> bool:
    return token.token_type.name == "VAR" and token.text.upper() in _WRITING


def _place(error: Any) -> str:
    found = error.errors[0] if error is not None and error.errors else {}
    if not found.get("line"):
        return ""
    return f"; it could not be parsed at line {found['line']}, column {found['col']}"


def _check_tree(tree: Any) -> None:
    from sqlglot import exp  # noqa: PLC0415

    if not isinstance(tree, exp.Query):
        raise _refused(f"it does more than read: {tree.key.upper()}")
    writing = tree.find(exp.DML, exp.Merge, exp.Create, exp.Drop, exp.Alter, exp.Command, exp.Into)
    if writing is not None:
        raise _refused(f"it does more than read: {writing.key.upper()}")


def _refused(reason: str) -> PlanRefusedError:
    return PlanRefusedError(f"The query is not one that only reads: {reason}.", hint=_HINT)


def _one_line(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip().rstrip(".")


def load_query(run: RetlRun) -> tuple[str, ...]:
    """Runs the query once into `source` and gives its columns' names; row numbers follow the order of its rows."""
    dialect = run.warehouse.capabilities.name.lower()
    try:
        reader = run.warehouse.read(Statement(bare_query(run.request.query, dialect=dialect)))
    except StatementError as error:
        error.hint = error.hint or _UNREADABLE
        raise
    names = tuple(reader.schema.names)
    _check_names(run, names)
    run.work.load("source", _numbered(reader))
    return names


def source_types(run: RetlRun) -> Mapping[str, str]:
    """Gives the types of the columns of `source`, as the work database spells them."""
    found = run.work.query("SELECT column_name, column_type FROM (DESCRIBE source)")
    return {str(name): str(kind) for name, kind in found if name != ROW_NUMBER}


def _check_names(run: RetlRun, names: Sequence[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name.lower() in seen:
            raise PlanRefusedError(
                f"{run.request.source} gives two columns named {name!r} (letter case does not count).",
                hint="Give each column a name of its own: SELECT … AS name.",
            )
        seen.add(name.lower())
    if ROW_NUMBER in seen:
        raise PlanRefusedError(
            f"{run.request.source} gives a column named {ROW_NUMBER!r}, which LHT needs for itself.",
            hint="Name it otherwise: SELECT … AS name.",
        )


def _numbered(reader: pa.RecordBatchReader) -> pa.RecordBatchReader:
    import pyarrow as pa  # noqa: PLC0415

    schema = pa.schema([pa.field(ROW_NUMBER, pa.int64()), *reader.schema])

    def batches() -> Iterator[pa.RecordBatch]:
        first = 1
        for batch in reader:
            numbers = pa.array(range(first, first + batch.num_rows), pa.int64())
            first += batch.num_rows
            yield pa.RecordBatch.from_arrays([numbers, *batch.columns], schema=schema)

    return pa.RecordBatchReader.from_batches(schema, batches())
