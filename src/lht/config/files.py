"""Where the files are, and how they are read and written so that secrets in them stay secret."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lht.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

DIRECTORY = ".snowflake"
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH
_OTHERS_READ = stat.S_IRGRP | stat.S_IROTH


def find_directory(cwd: Path, environ: Mapping[str, str]) -> Path:
    """The directory of connections.toml and sfdc.json; it need not exist.

    The nearest `.snowflake/` from the working directory upward; else, as Snowflake's own tools do, SNOWFLAKE_HOME,
    or `~/.snowflake` where that is not set, or the platform's place for settings if there is no such directory.
    The user's own `~/.snowflake` is no project's: working below it must not outdo SNOWFLAKE_HOME.
    """
    here = cwd.absolute()
    own = expand_home(f"~/{DIRECTORY}", environ)
    for folder in (here, *here.parents):
        if (folder / DIRECTORY).is_dir() and folder / DIRECTORY != own:
            return folder / DIRECTORY
    home = expand_home(environ.get("SNOWFLAKE_HOME") or str(own), environ)
    return home if home.is_dir() else _platform_directory()


def _platform_directory() -> Path:
    import platformdirs  # noqa: PLC0415  # asked for only where nothing nearer was found

    return platformdirs.user_config_path("snowflake", appauthor=False)


def expand_home(path: str, environ: Mapping[str, str]) -> Path:
    """A path whose leading `~` is the user's home directory."""
    if path == "~" or path.startswith(("~/", "~\\")):
        home = environ.get("HOME") or environ.get("USERPROFILE") or str(Path.home())
        return Path(home, path[2:])
    return Path(path)


def read_text(path: Path) -> str | None:
    """A file's text, or None where there is none."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"{path} cannot be read: {_reason(error)}.",
            hint="Mend the file or its permissions, or move it away.",
        ) from error


def _reason(error: OSError | UnicodeDecodeError) -> str:
    return error.strerror or "unknown reason" if isinstance(error, OSError) else "it is not UTF-8 text"


def parse_toml(text: str, path: Path) -> dict[str, Any]:
    """Reads TOML; a mistake is reported with its line, and without the line's text, which may be a secret."""
    import tomllib  # noqa: PLC0415  # costs start-up time

    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(
            f"{path} is not valid TOML: {error}.", hint="Texts stand in double quotes."
        ) from error


_HEADER = re.compile(r"\s*(\[\[?)\s*([^\]]+?)\s*\]\]?\s*(#.*)?$")
_QUOTES = re.compile(r"""["']|\s+(?=\.)|(?<=\.)\s+""")
_KEY = re.compile(r"""\s*(?:"([^"]*)"|'([^']*)'|([A-Za-z0-9_.\-]+))\s*=""")


def line_of(text: str, table: str | None, key: str | None, *, index: int = 0) -> int | None:
    """The line of a key of a table (of its `index`-th, where it repeats), or of the table itself.

    `table` None means the keys before the first table. TOML readers keep no positions, so the text is searched.
    """
    current: str | None = None
    seen = -1
    for number, line in enumerate(text.splitlines(), start=1):
        if header := _HEADER.match(line):
            current = _QUOTES.sub("", header[2])
            seen += current == table
            if key is None and current == table and seen == index:
                return number
        elif (
            current == table and (table is None or seen == index) and key is not None and _key_in(line) == key
        ):
            return number
    return None


def _key_in(line: str) -> str | None:
    match = _KEY.match(line)
    return next((group for group in match.groups() if group is not None), None) if match else None


def place(path: Path | str, line: int | None) -> str:
    """`file, line n` for messages."""
    return f"{path}, line {line}" if line else str(path)


def can_others_read(path: Path) -> bool:
    """Whether other users of this machine may read a file. Where there are no such bits: no."""
    return os.name == "posix" and bool(path.stat().st_mode & _OTHERS_READ)


def can_others_write(path: Path) -> bool:
    """Whether other users of this machine may change a file: by its mode, or because it is theirs."""
    return is_open_to_writers(path) or is_of_somebody_else(path)


def is_open_to_writers(path: Path) -> bool:
    """Whether a file's mode lets other users change it. Where there are no such bits: no."""
    return os.name == "posix" and bool(path.stat().st_mode & _OTHERS_WRITE)


def is_of_somebody_else(path: Path) -> bool:
    """Whether a file belongs to neither this user nor root. Root may have anybody's."""
    return os.name == "posix" and os.geteuid() != 0 and path.stat().st_uid not in {0, os.geteuid()}


def write_private(path: Path, text: str) -> None:
    """Replaces a file in one step by one that only its owner can read. A link stays, and what it names is replaced."""
    import tempfile  # noqa: PLC0415  # costs start-up time

    path = path.resolve()
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
