"""Runs the command line: `lht`, or `python -m lht`."""

from __future__ import annotations

import sys


def main() -> None:
    """Runs one command and ends the process with its exit code."""
    from lht.cli.main import run_process  # noqa: PLC0415 - `import lht.__main__` stays light

    sys.exit(run_process(sys.argv[1:]))


if __name__ == "__main__":
    main()
