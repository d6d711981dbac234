"""The rules of the house that no linter knows: layout, sizes, errors, doors, exports."""

from __future__ import annotations

import ast
import importlib
import inspect
import os
import re
import shutil
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import lht
from lht import errors

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "lht"
ROOMS = {
    "app", "cli", "config", "mapping", "model", "records", "retl", "salesforce", "sfdc", "simulator", "state", "sync",
    "testing", "util", "warehouse",
}  # fmt: skip
EXPORTS = {
    "LhtError", "__version__", "connect_org", "connect_warehouse", "retl_delete", "retl_insert", "retl_plan",
    "retl_plan_retry", "retl_plan_undo", "retl_retry", "retl_undo", "retl_update", "retl_upsert", "sync_objects",
}  # fmt: skip
DRIVERS = {
    "duckdb",
    "pyarrow",
    "urllib3",
    "rich",
    "starlette",
    "uvicorn",
    "lark",
    "joserfc",
    "cryptography",
    "isal",
}
TEXTS = {".py", ".md", ".toml", ".sh", ".lark", ".json", ".soql", ".sql"}
WHOLESALE = {"", "Exception", "BaseException"}
OUTERMOST = "cli/main.py"
LONGEST_FUNCTION = 60
LONGEST_MODULE = 600


@dataclass(frozen=True, slots=True)
class Module:
    path: Path
    text: str
    tree: ast.Module

    @property
    def name(self) -> str:
        return str(self.path.relative_to(PACKAGE))

    @property
    def room(self) -> str:
        return self.path.relative_to(PACKAGE).parts[0]


def read_modules() -> list[Module]:
    paths = sorted(PACKAGE.rglob("*.py"))
    texts = [path.read_text(encoding="utf-8") for path in paths]
    return [Module(path, text, ast.parse(text)) for path, text in zip(paths, texts, strict=True)]


MODULES = read_modules()


def nodes_of(kind: type[ast.AST] | tuple[type[ast.AST], ...]) -> Iterator[tuple[Module, ast.AST]]:
    for module in MODULES:
        for node in ast.walk(module.tree):
            if isinstance(node, kind):
                yield module, node


def place(module: Module, node: ast.AST) -> str:
    return f"{module.name}:{node.lineno}"  # type: ignore[attr-defined]


# Layout


def test_every_folder_is_a_known_room() -> None:
    folders = {path.name for path in PACKAGE.iterdir() if path.is_dir() and path.name != "__pycache__"}

    assert folders == ROOMS


def test_nothing_else_lies_beside_the_rooms() -> None:
    files = {path.name for path in PACKAGE.iterdir() if path.is_file()}

    assert files == {"__init__.py", "__main__.py", "errors.py", "py.typed"}


def test_every_folder_with_code_is_a_package() -> None:
    bare = {str(m.path.parent) for m in MODULES if not (m.path.parent / "__init__.py").exists()}

    assert bare == set()


def test_every_module_says_what_it_is() -> None:
    silent = [module.name for module in MODULES if not ast.get_docstring(module.tree)]

    assert silent == []


def test_modules_stay_small() -> None:
    large = {m.name: len(m.text.splitlines()) for m in MODULES if len(m.text.splitlines()) > LONGEST_MODULE}

    assert large == {}


def test_functions_stay_small() -> None:
    large = {
        f"{place(module, node)} {node.name}": length_of(node)
        for module, node in nodes_of((ast.FunctionDef, ast.AsyncFunctionDef))
        if length_of(node) > LONGEST_FUNCTION
    }

    assert large == {}


def length_of(node: ast.AST) -> int:
    """The lines of a function's body; a signature is a table of options, and a docstring is prose."""
    first, *others = node.body  # type: ignore[attr-defined]
    start = (
        others[0]
        if others and isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
        else first
    )
    return node.end_lineno - start.lineno + 1  # type: ignore[attr-defined]


def test_values_of_the_model_are_frozen() -> None:
    loose = []
    for module, node in nodes_of(ast.ClassDef):
        decorators = [ast.unparse(decorator) for decorator in node.decorator_list]
        if module.room == "model" and any(d.startswith("dataclass") for d in decorators):
            loose += [place(module, node) for d in decorators if "frozen=True" not in d]

    assert loose == []


# Errors


def error_classes() -> list[type[BaseException]]:
    return [
        kind
        for kind in vars(errors).values()
        if inspect.isclass(kind) and issubclass(kind, BaseException) and kind.__module__ == errors.__name__
    ]


def test_every_exception_ends_in_error_and_has_one_root() -> None:
    odd = [
        k.__name__
        for k in error_classes()
        if not (k.__name__.endswith("Error") and issubclass(k, errors.LhtError))
    ]

    assert odd == []


def test_error_codes_are_unique() -> None:
    codes = [kind.code for kind in error_classes() if issubclass(kind, errors.LhtError)]

    assert len(codes) == len(set(codes))
    assert all(re.fullmatch(r"[A-Z]+(-[A-Z]+)*", code) for code in codes)


def test_every_error_declares_its_own_code() -> None:
    borrowed = [kind.__name__ for kind in error_classes() if "code" not in vars(kind)]

    assert borrowed == []


def test_lht_errors_are_declared_in_one_module() -> None:
    ours = {kind.__name__ for kind in error_classes()}
    elsewhere = [
        place(module, node)
        for module, node in nodes_of(ast.ClassDef)
        if module.name != "errors.py" and {ast.unparse(base).rpartition(".")[2] for base in node.bases} & ours
    ]

    assert elsewhere == []


def test_nothing_is_caught_wholesale_to_carry_on() -> None:
    swallowed = [
        place(module, node)
        for module, node in nodes_of(ast.ExceptHandler)
        if caught(node) & WHOLESALE and not isinstance(node.body[-1], ast.Raise) and module.name != OUTERMOST
    ]

    assert swallowed == []


def caught(handler: ast.ExceptHandler) -> set[str]:
    if handler.type is None:
        return {""}
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return {ast.unparse(kind).rpartition(".")[2] for kind in kinds}


# Who may see what


def imports_of(module: Module) -> set[str]:
    names = set()
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {f"{node.module}.{alias.name}" for alias in node.names} | {node.module or ""}
    return names


def test_the_simulator_imports_no_other_room() -> None:
    shared = {
        f"{module.name}: {name}"
        for module in MODULES
        if module.room == "simulator"
        for name in imports_of(module)
        if (name == "lht" or name.startswith("lht.")) and not name.startswith("lht.simulator")
        if name != "lht"  # the first half of `from lht import simulator`
    }

    assert shared == set()


def test_imports_are_absolute() -> None:
    relative = [place(m, node) for m, node in nodes_of(ast.ImportFrom) if node.level]

    assert relative == []


def test_the_environment_enters_by_one_module_on_its_way_to_config() -> None:
    readers = {
        module.name
        for module, node in nodes_of(ast.Attribute)
        if node.attr in {"environ", "getenv"} and ast.unparse(node.value) == "os" and module.room != "config"
    }

    assert readers <= {"app/access.py"}


def test_system_names_are_spelled_once() -> None:
    spelled = {
        place(module, node)
        for module, node in nodes_of(ast.Constant)
        if isinstance(node.value, str)
        and re.fullmatch(r"_lht_\w*[a-z]", node.value)
        and module.name != "state/tables.py"
    }

    assert spelled == set()


def test_no_file_names_a_machine() -> None:
    pattern = re.compile(r"(?<![\w.$}])/(?:work|root|(?:home|Users)/(?!me\b)\w)\b")
    named = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in texts_of_the_project()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if pattern.search(line)
    ]

    assert named == []


def texts_of_the_project() -> Iterator[Path]:
    for folder in ("src", "tests", "docs", "benchmarks", ".ci"):
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix in TEXTS and path.is_file() and path != Path(__file__):
                yield path
    for name in ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "Makefile", "pyproject.toml"):
        yield ROOT / name


# What users import


def test_public_names_are_pinned() -> None:
    assert set(lht.__all__) == EXPORTS
    assert set(lht.__all__) <= set(dir(lht))


def test_every_public_name_resolves() -> None:
    missing = [name for name in lht.__all__ if getattr(lht, name, None) is None]

    assert missing == []


def test_an_unknown_public_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no_such_verb"):
        _ = lht.no_such_verb  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("module", "names"),
    [
        ("lht.salesforce.sobject_create", {"create"}),
        ("lht.salesforce.sobject_sync", {"new_changed_records"}),
        (
            "lht.salesforce.retl",
            {"insert", "update", "upsert", "delete", "retry", "undo", "plan", "plan_retry", "plan_undo"},
        ),
        ("lht.util.field_types", {"register_custom_mappings", "clear_custom_mappings"}),
        ("lht.testing", {"simulator"}),
    ],
)
def test_promised_modules_keep_their_names(module: str, names: set[str]) -> None:
    assert names <= set(dir(importlib.import_module(module)))


def test_the_version_is_told_once_and_the_same() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

    assert project["version"] == lht.__version__


@pytest.mark.parametrize(
    "module", ["lht", "lht.__main__", "lht.cli.main", "lht.util.field_types", "lht.salesforce"]
)
def test_importing_loads_no_driver(module: str) -> None:
    script = f"import sys, {module}; print(' '.join(sorted(name.partition('.')[0] for name in sys.modules)))"
    loaded = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout

    assert DRIVERS & set(loaded.split()) == set()


# The import contracts bite


def contracts() -> list[dict[str, object]]:
    tables = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    return tables["tool"]["importlinter"]["contracts"]


PLANTS = {
    "layers": ("sfdc/planted.py", "import lht.warehouse"),
    "two witnesses": ("simulator/planted.py", "import lht.errors"),
    "product without simulator": ("app/planted_simulator.py", "import lht.simulator"),
    "pure": ("mapping/planted.py", "import socket"),
    "port": ("sync/planted.py", "import lht.warehouse.duckdb"),
}


def plant_for(contract: dict[str, object]) -> tuple[str, str]:
    """A module that breaks this contract and no other: drivers are smuggled into `app`, which may see none."""
    kind, _, driver = str(contract["name"]).partition(": ")
    return (f"app/planted_{driver}.py", f"import {driver}") if kind == "door" else PLANTS[kind]


@pytest.fixture
def copied_source(tmp_path: Path) -> Path:
    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def plant(copy: Path, path: str, code: str) -> None:
    target = copy / "src" / "lht" / path
    target.parent.mkdir(exist_ok=True)
    target.write_text(f'"""Planted."""\n\n{code}\n', encoding="utf-8")


def lint_imports(copy: Path) -> tuple[int, set[str]]:
    """Runs the linter on the copy: its exit code and the names of the broken contracts."""
    command = Path(sys.executable).with_name("lint-imports")
    environment = {**os.environ, "PYTHONPATH": str(copy / "src"), "NO_COLOR": "1", "COLUMNS": "400"}
    ended = subprocess.run(
        [command, "--no-cache"], cwd=copy, env=environment, capture_output=True, text=True, check=False
    )
    return ended.returncode, set(re.findall(r"^(.*) BROKEN\b", ended.stdout, flags=re.MULTILINE))


def test_contracts_hold_for_the_code_as_it_is(copied_source: Path) -> None:
    assert lint_imports(copied_source) == (0, set())


def test_each_contract_notices_a_planted_violation(copied_source: Path) -> None:
    for contract in contracts():
        plant(copied_source, *plant_for(contract))

    assert lint_imports(copied_source) == (1, {str(contract["name"]) for contract in contracts()})


def test_a_new_folder_fails_until_it_has_a_place(copied_source: Path) -> None:
    plant(copied_source, "helpers/__init__.py", "")

    code, broken = lint_imports(copied_source)
    assert code == 1
    assert [name.partition(":")[0] for name in broken] == ["layers"]
