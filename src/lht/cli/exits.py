"""Exit codes: the one place that knows which error ends the process with which number."""

from __future__ import annotations

from enum import IntEnum

from lht import errors


class Exit(IntEnum):
    """What the process tells its caller."""

    DONE = 0
    BUG = 1
    USAGE = 2
    CONFIG = 3
    LOGIN = 4
    ROWS_FAILED = 5
    SALESFORCE = 6
    WAREHOUSE = 7
    DATA = 8
    LOCKED = 9
    INTERRUPTED = 130


_BY_CLASS: dict[type[errors.LhtError], Exit] = {
    errors.LhtError: Exit.BUG,
    errors.ConfigError: Exit.CONFIG,
    errors.SalesforceError: Exit.SALESFORCE,
    errors.AuthError: Exit.LOGIN,
    errors.MappingError: Exit.DATA,
    errors.WarehouseError: Exit.WAREHOUSE,
    errors.SyncError: Exit.DATA,
    errors.RetlError: Exit.DATA,
    errors.RowsFailedError: Exit.ROWS_FAILED,
    errors.StateError: Exit.WAREHOUSE,
    errors.RunLockedError: Exit.LOCKED,
    errors.StateVersionError: Exit.CONFIG,
}


def exit_of(error: type[errors.LhtError]) -> Exit:
    """Gives the code of the nearest ancestor that has one."""
    return next(_BY_CLASS[base] for base in error.__mro__ if base in _BY_CLASS)


def exit_of_code(code: str) -> Exit:
    """Gives the exit code for an error that is only known by its `code`, as remembered runs are."""
    return next((exit_of(kind) for kind in _tree(errors.LhtError) if kind.code == code), Exit.BUG)


def _tree(root: type[errors.LhtError]) -> list[type[errors.LhtError]]:
    return [root, *(kind for child in root.__subclasses__() for kind in _tree(child))]
