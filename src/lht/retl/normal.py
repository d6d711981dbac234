r"""Texts in the form in which Salesforce would tell them apart: SQL expressions for the work database. Pure.

Both sides of every comparison go through here, what would be sent and what is held, so that a difference is one
that writing would make. What is empty is NULL: nothing, blanks, and the mark that empties a field.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from lht.model.salesforce import Field

NULL_MARK: Final = "#N/A"
"""What Bulk API 2.0 reads as 'empty this field'."""
BLANKS: Final = "".join(map(chr, range(1, 33)))
"""What Salesforce cuts off both ends of a text, as Java's trim does."""
ALL_BLANKS: Final = "SIMILAR TO '[\\x01-\\x20]*'"
WHOLE: Final = frozenset({"int", "long"})
NUMBERS: Final = WHOLE | {"double", "currency", "percent"}
IDS: Final = frozenset({"id", "reference"})
_CHECK_LETTERS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
_ID: Final = "[0-9A-Za-z]{15}([A-Za-z0-5]{3})?"


def normal_sql(text_expr: str, field: Field) -> str:
    """Gives the form of a text, encoded or held, that is equal exactly where the field's value is.

    `text_expr` is best a column: it is written out several times.
    """
    if field.type in NUMBERS:
        return _number(text_expr, field)
    if field.type == "picklist":
        return _listed(_given(text_expr), field)
    if field.type == "multipicklist":
        return _several(text_expr, field)
    return _FORMS.get(field.type, _text)(text_expr)


def key_sql(text_expr: str, field: Field) -> str:
    """Gives a match key as Salesforce compares it: letter case counts only where the field says so."""
    if field.type in NUMBERS or field.type in _FORMS:
        return normal_sql(text_expr, field)
    text = _given(text_expr)
    return text if field.case_sensitive else f"lower({text})"


def trimmed(text: str) -> str:
    """A text without the blanks that Salesforce cuts off; few have any, and looking is cheaper than cutting."""
    bare = f"left({text}, 1) > ' ' AND right({text}, 1) > ' '"
    return f"(CASE WHEN {bare} THEN {text} ELSE trim({text}, '{BLANKS}') END)"


def _given(text: str) -> str:
    return f"nullif(nullif({trimmed(text)}, ''), '{NULL_MARK}')"


def _text(text: str) -> str:
    """Line ends are one character: Salesforce gives some back in the form in which they did not come."""
    return f"replace(replace({_given(text)}, chr(13) || chr(10), chr(10)), chr(13), chr(10))"


def _boolean(text: str) -> str:
    return f"CASE {text} WHEN 'true' THEN 'true' WHEN '1' THEN 'true' WHEN '0' THEN 'false' ELSE lower({_given(text)}) END"


def _date(text: str) -> str:
    return f"left({_given(text)}, 10)"


def _time(text: str) -> str:
    fraction = f"CASE WHEN contains({text}, '.') THEN '0' ELSE '.000' END"
    return f"rpad(left(rtrim({_given(text)}, 'Z'), 12), 12, {fraction})"


def _email(text: str) -> str:
    return f"lower({_given(text)})"


def _id(text: str) -> str:
    return f"coalesce({checked_id_sql(text)}, {_given(text)})"


def checked_id_sql(text: str) -> str:
    """Gives an id's 18 characters as `id_sql` does, quickly where they are what was given."""
    is_right = f"length({text}) = 18 AND {text}[16:] = {_suffix(text)} AND regexp_full_match({text}, '{_ID}')"
    # Bound to a name, as `id_sql` writes it out a hundred times, which would take longer to plan than to run.
    other = f"list_transform([{trimmed(text)}], lambda bare_id: {id_sql('bare_id')})[1]"
    return f"CASE WHEN {is_right} THEN {text} ELSE {other} END"


def _number(text: str, field: Field) -> str:
    """Rounds half away from zero to the scale, then as a double does: Salesforce holds all but whole numbers so.

    Up to 15 digits a double changes nothing; most numbers fit the narrow, fast type.
    """
    given = _given(text)
    if field.type in WHOLE:
        forms = [f"CAST(TRY_CAST({given} AS {kind}) AS VARCHAR)" for kind in ("BIGINT", "DECIMAL(38,0)")]
    else:
        forms = [
            f"CAST(TRY_CAST(CAST(TRY_CAST({given} AS {kind}) AS DOUBLE) AS {kind}) AS VARCHAR)"
            for kind in (f"DECIMAL(18,{min(field.scale, 18)})", f"DECIMAL(38,{field.scale})")
        ]
    return f"coalesce({', '.join(forms)}, CAST(TRY_CAST({given} AS DOUBLE) AS VARCHAR), {given})"


def _datetime(text: str) -> str:
    """To the second: Salesforce keeps no more."""
    given = _given(text)
    usual = f"{text}[11] = 'T' AND (ends_with({text}, 'Z') OR ends_with({text}, '+0000'))"
    moment = f"TRY_CAST(TRY_CAST({given} AS TIMESTAMP WITH TIME ZONE) AS TIMESTAMP)"
    other = f"coalesce(strftime({moment}, '%Y-%m-%dT%H:%M:%S'), {given})"
    return f"CASE WHEN {usual} THEN left({text}, 19) ELSE {other} END"


_FORMS: Final = {
    "boolean": _boolean,
    "date": _date,
    "datetime": _datetime,
    "time": _time,
    "email": _email,
    "id": _id,
    "reference": _id,
}


def _listed(text: str, field: Field) -> str:
    """A picklist's own entries count in any letter case: Salesforce stores them as the list spells them."""
    entries = ", ".join(f"'{_quoted(entry.lower())}'" for entry in field.picklist_values)
    return f"CASE WHEN lower({text}) IN ({entries}) THEN lower({text}) ELSE {text} END" if entries else text


def _several(text: str, field: Field) -> str:
    """Each entry once, in one order: Salesforce keeps the list's order, whatever was sent."""
    parts = f"list_transform(string_split({_given(text)}, ';'), lambda p: {trimmed('p')})"
    entries = f"list_transform(list_filter({parts}, lambda p: p <> ''), lambda e: {_listed('e', field)})"
    several = f"nullif(array_to_string(list_sort(list_distinct({entries})), ';'), '')"
    return f"CASE WHEN contains({text}, ';') THEN {several} ELSE {_listed(_given(text), field)} END"


def id_sql(text: str) -> str:
    """Gives an id's 18 characters in their own letter case; NULL for what is no id.

    The last three tell, five characters at a time, which of the first fifteen are capitals. One that was written
    in other letters than its own is put right, as Salesforce would.
    """
    shape = f"regexp_full_match({text}, '{_ID}')"
    whole = f"CASE WHEN {text}[16:] = {_suffix(text)} THEN {text} ELSE {_restored(text)} END"
    return f"CASE WHEN NOT {shape} THEN NULL WHEN length({text}) = 15 THEN {text} || {_suffix(text)} ELSE {whole} END"


def _suffix(text: str) -> str:
    return " || ".join(
        f"substr('{_CHECK_LETTERS}', CAST(1 + {_bits(text, start)} AS BIGINT), 1)" for start in (1, 6, 11)
    )


def _bits(text: str, start: int) -> str:
    return " + ".join(
        f"CASE WHEN {text}[{start + bit}] BETWEEN 'A' AND 'Z' THEN {1 << bit} ELSE 0 END" for bit in range(5)
    )


def _restored(text: str) -> str:
    """Each letter as its bit of the suffix says; NULL where that calls a digit a capital."""
    letters = " || ".join(_letter(text, place) for place in range(15))
    return f"({letters}) || upper(substr({text}, 16))"


def _letter(text: str, place: int) -> str:
    mark = f"(strpos('{_CHECK_LETTERS}', upper({text}[{16 + place // 5}])) - 1)"
    letter = f"{text}[{place + 1}]"
    is_capital = f"{mark} & {1 << place % 5} <> 0"
    return f"CASE WHEN NOT ({is_capital}) THEN lower({letter}) WHEN {letter} ~ '[A-Za-z]' THEN upper({letter}) END"


def _quoted(text: str) -> str:
    return text.replace("'", "''")
