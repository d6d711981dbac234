#!/usr/bin/env bash
# Every check, in the order in which it is cheapest to fail. `lint` as the first word stops before the tests.
set -euo pipefail
cd "$(dirname "$0")/.."
BIN=${BIN:-.venv/bin}
# The tests start `lht` some hundred times: what Python compiles is kept, whatever the machine's habit.
unset PYTHONDONTWRITEBYTECODE

# Prints an interpreter of that version, if one is installed: on the path, or kept by pyenv off it.
interpreter() {
  local candidate
  for candidate in "python$1" "${PYENV_ROOT:-$HOME/.pyenv}/versions/$1".*/bin/python; do
    if "$candidate" -c '' >/dev/null 2>&1; then echo "$candidate"; return; fi
  done
}

echo "== lint";      "$BIN/ruff" check src tests benchmarks
echo "== format";    "$BIN/ruff" format --check src tests benchmarks
echo "== types";     "$BIN/mypy"
echo "== contracts"; "$BIN/lint-imports"
[ "${1:-}" = lint ] && exit 0

# Runs some of the tests on another Python, if it is installed, with the connector to Snowflake of another generation.
# Snowpark wants the older one: it goes, and the tests that need it are not collected.
on_python() {
  local version=$1 connector=$2 python venv=".venv-$1"
  shift 2
  python=$(interpreter "$version")
  [ -n "$python" ] || return 0
  echo "== $* on Python $version, connector $connector"
  make --no-print-directory setup PYTHON="$python" VENV="$venv"
  "$venv/bin/python" -m pip uninstall --quiet --disable-pip-version-check --yes snowflake-snowpark-python
  "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes \
    -r "requirements-connector-$connector.txt"
  # fakesnow needs the older connector: the stand-in for Snowflake runs on the first Python.
  "$venv/bin/pytest" -q -n 2 -p no:cacheprovider --lht-stand-in-python "$(realpath -s "$BIN")/python" "$@"
}

# The newest Python; the oldest comes below, and what runs on both is taken to run on those in between. What the local
# org does by itself has nothing to do with the connector, and is tested once, below.
on_python 3.13 5 tests/unit tests/contract --ignore-glob='*/contract/test_simulator_*'

echo "== the whole suite"
{ command -v chromium && command -v chromedriver; } >/dev/null ||
  echo "chromium or chromedriver is not installed: the tests in a browser are left out"
"$BIN/pytest" -q -n 2
