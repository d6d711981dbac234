"""The docs hold: commands and options are documented, examples parse or run, links resolve.

A fence's first word is its language. `bash` examples must parse; those marked `bash run` run in order, document by
document, in a fresh folder beside a local org. `python` examples must compile; those marked `python run` run there. `sql`
examples must parse as Snowflake's; those marked `sql file=NAME` are written to that file there.
"""

from __future__ import annotations

import ast
import json
import os
import re
import shlex
import tomllib
import urllib.parse
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import sqlglot

from lht.cli.exits import Exit
from lht.cli.main import run
from lht.testing import simulator

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lht.testing import LocalOrg

ROOT = Path(__file__).parents[1]
GUIDE = ROOT / "docs" / "guide.md"
DOCS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
FENCE = re.compile(r"^ *```([^\n`]*)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
OPTION = re.compile(r"(?<![\w-])--?[a-zA-Z][\w-]*")
COMMON = "Options of every command"


@dataclass(frozen=True, slots=True)
class Example:
    """A fenced block; `marks` are the words behind its language."""

    path: Path
    line: int
    language: str
    marks: frozenset[str]
    text: str

    def __str__(self) -> str:
        return f"{self.path.name}:{self.line}"


def examples_in(path: Path) -> Iterator[Example]:
    text = path.read_text(encoding="utf-8")
    for match in FENCE.finditer(text):
        language, *marks = match[1].split() or [""]
        yield Example(path, text.count("\n", 0, match.start()) + 1, language, frozenset(marks), match[2])


EXAMPLES = [example for path in DOCS for example in examples_in(path)]


def examples(language: str) -> list[Example]:
    return [example for example in EXAMPLES if example.language == language]


# Commands


def root_command() -> Any:
    from typer.main import get_command

    from lht.cli.app import app

    return get_command(app)


def walk(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    """Every command that does something, by its full name; groups are only passed through."""
    if children := getattr(command, "commands", None):
        for name, child in children.items():
            yield from walk(child, (*path, name))
    elif not command.hidden:
        yield " ".join(path), command


COMMANDS = dict(walk(root_command()))


def spelled(option: str) -> str:
    """`--db-connect` and `--db_connect` are the same option."""
    return option[:2] + option[2:].replace("-", "_")


def options_of(command: Any) -> set[str]:
    options = [parameter for parameter in command.params if parameter.param_type_name == "option"]
    return {spelled(name) for option in options for name in (*option.opts, *option.secondary_opts)}


def sections(text: str) -> dict[str, str]:
    """The text below each heading, up to the next one of any level."""
    parts = re.split(
        r"^#+ +(.+)$", FENCE.sub(lambda match: match[0].replace("\n#", "\n"), text), flags=re.MULTILINE
    )
    return {
        title.strip().replace("`", ""): body for title, body in zip(parts[1::2], parts[2::2], strict=True)
    }


SECTIONS = sections(GUIDE.read_text(encoding="utf-8"))


def mentioned(text: str) -> set[str]:
    return {spelled(option) for option in OPTION.findall(text)}


def test_every_command_has_a_section_in_the_guide() -> None:
    missing = [name for name in COMMANDS if f"lht {name}" not in SECTIONS]

    assert missing == []


def test_no_section_is_about_a_command_that_is_not_there() -> None:
    invented = [t for t in SECTIONS if re.fullmatch(r"lht [a-z_ ]+", t) and t[4:] not in COMMANDS]

    assert invented == []


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_is_described(name: str) -> None:
    told = mentioned(SECTIONS[f"lht {name}"]) | mentioned(SECTIONS[COMMON].partition("These come back")[0])

    assert options_of(COMMANDS[name]) - told == set()


def test_the_programs_own_options_are_described() -> None:
    assert (
        options_of(root_command()) - mentioned(SECTIONS["Command reference"]) - mentioned(SECTIONS[COMMON])
        == set()
    )


@pytest.mark.parametrize("name", COMMANDS)
def test_no_option_is_described_in_a_table_that_is_not_there(name: str) -> None:
    rows = "\n".join(re.findall(r"^\| *`(-.*?)` *\|", SECTIONS[f"lht {name}"], flags=re.MULTILINE))

    assert mentioned(rows) - options_of(COMMANDS[name]) == set()


def test_the_readme_lists_every_command() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    missing = [name for name in COMMANDS if not re.search(rf"`(?:lht )?{name}\b", readme)]

    assert missing == []


def test_every_exit_code_is_told() -> None:
    told = {int(code) for code in re.findall(r"^\| (\d+) \|", SECTIONS["Exit codes"], flags=re.MULTILINE)}

    assert told == {int(code) for code in Exit}


def test_every_environment_variable_is_told() -> None:
    known = {
        name
        for path in (ROOT / "src" / "lht").rglob("*.py")
        for name in re.findall(r"\"(LHT_[A-Z_]+[A-Z])\"", path.read_text(encoding="utf-8"))
    }

    in_snowflake = {"LHT_DEMO", "LHT_STAGE", "LHT_SUITE", "LHT_SUITE_SHARED", "LHT_SUITE_STATE"}

    assert {n for n in known - in_snowflake if n not in SECTIONS["Environment variables"]} == set()


# Examples of commands


def command_lines(example: Example) -> Iterator[list[str]]:
    """Each `lht …` of a shell example as words; what it is piped to or chained with is left out."""
    for line in example.text.replace("\\\n", " ").splitlines():
        found = re.search(r"(?:^|&& *|\$\()\s*lht (.*)", line)
        if found:
            words = shlex.split(found[1].split(")")[0] if "$(" in line else found[1], comments=True)
            ends = [words.index(stop) for stop in ("|", ">", "&&", "&", ";", "2>") if stop in words]
            yield words[: min(ends, default=len(words))]


def parse(words: list[str]) -> None:
    """Parses a command line as the program would; raises if command, option or value is refused."""
    command = root_command()
    context = command.context_class(command, info_name="lht", **command.context_settings)
    while getattr(command, "commands", None):
        if words and words[0] in {"--help", "--version"}:
            return
        _, command, words = command.resolve_command(context, words)
        if getattr(command, "commands", None):
            context = command.context_class(command, info_name=command.name, parent=context)
    command.make_context(command.name, list(words), parent=context, resilient_parsing="--help" in words)


@pytest.mark.parametrize("example", [e for e in examples("bash") if "lht " in e.text], ids=str)
def test_example_commands_parse(example: Example) -> None:
    lines = list(command_lines(example))

    for words in lines:
        parse(words)


def test_a_wrong_example_would_be_noticed() -> None:
    with pytest.raises(Exception, match=r"(?i)no such command"):
        parse(["sink", "--sobject", "Account"])
    with pytest.raises(Exception, match=r"(?i)no such option"):
        parse(["sync", "--sobject", "Account", "--tabel", "A"])


# Examples that run

RUNNING = sorted({example.path for example in EXAMPLES if "run" in example.marks})
ORG = """
[mycompany]
CLIENT_ID = "{org.client_id}"
CLIENT_SECRET = "{org.client_secret}"
login_url = "{org.url}"
flow = "client-credentials"
"""
WAREHOUSE = """
[{name}]
type = "duckdb"
path = "lake.duckdb"
"""


@pytest.fixture
def org() -> Iterator[LocalOrg]:
    with simulator(records=60, seed=1) as running:
        yield running


@pytest.fixture
def project(tmp_path: Path, org: LocalOrg, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that knows a local org, as the docs' readers have it; nothing of this machine is looked at."""
    settings = tmp_path / ".snowflake" / "connections.toml"
    settings.parent.mkdir(mode=0o700)
    settings.write_text(ORG.format(org=org), encoding="utf-8")
    settings.chmod(0o600)
    for name in [name for name in os.environ if name.startswith(("LHT_", "SNOWFLAKE_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("LHT_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("ACCESS_TOKEN", token_of(org))
    monkeypatch.setenv("INSTANCE_URL", org.url)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def token_of(org: LocalOrg) -> str:
    """A token as a program of the user's own would fetch it."""
    form = {
        "grant_type": "client_credentials",
        "client_id": org.client_id,
        "client_secret": org.client_secret,
    }
    data = urllib.parse.urlencode(form).encode()
    with urllib.request.urlopen(f"{org.url}/services/oauth2/token", data, timeout=60) as answer:
        token: str = json.load(answer)["access_token"]
    return token


@pytest.mark.parametrize("path", RUNNING, ids=lambda path: path.name)
def test_marked_examples_run(path: Path, project: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with (project / ".snowflake" / "connections.toml").open("a", encoding="utf-8") as settings:
        settings.write(WAREHOUSE.format(name="myconnection" if path == GUIDE else "lake"))
    assert run(["login"]) == Exit.DONE

    for example in [example for example in EXAMPLES if example.path == path]:
        for name in (mark.removeprefix("file=") for mark in example.marks if mark.startswith("file=")):
            (project / name).write_text(example.text, encoding="utf-8")
        if "run" not in example.marks:
            continue
        if example.language == "python":
            exec(compile(example.text, str(example), "exec"), {"__name__": "example"})
        for words in command_lines(example) if example.language == "bash" else ():
            code = run(words)
            assert (words, code, capfd.readouterr().err if code else "") == (words, Exit.DONE, "")


@pytest.mark.parametrize("example", examples("python"), ids=str)
def test_python_examples_compile(example: Example) -> None:
    assert ast.parse(example.text)


@pytest.mark.parametrize("example", examples("toml"), ids=str)
def test_toml_examples_are_toml(example: Example) -> None:
    assert tomllib.loads(example.text)


# Statements of account administration that the parser takes as they are, without a look at what follows.
UNMODELLED = (
    "CREATE ROLE ", "GRANT ROLE ", "GRANT OWNERSHIP ", "GRANT SELECT ON ALL ", "GRANT SELECT ON FUTURE ", "CREATE USER ",
    "ALTER USER ", "CREATE NETWORK ", "CREATE EXTERNAL ACCESS INTEGRATION ",
)  # fmt: skip


@pytest.mark.parametrize("example", examples("sql"), ids=str)
def test_sql_examples_are_snowflakes(example: Example) -> None:
    statements = [found for found in sqlglot.parse(example.text, dialect="snowflake") if found]
    passed_through = [found.sql() for found in statements if isinstance(found, sqlglot.exp.Command)]

    assert statements
    assert [text for text in passed_through if not text.startswith(UNMODELLED)] == []


@pytest.mark.parametrize("example", examples("json"), ids=str)
def test_json_examples_are_json(example: Example) -> None:
    assert json.loads(example.text)


# Links


def slug(heading: str) -> str:
    """A heading's anchor as GitHub makes it."""
    plain = re.sub(r"[`*]|\[|\]\([^)]*\)", "", heading.strip().lower())
    return re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")


def anchors_of(path: Path) -> set[str]:
    text = FENCE.sub("", path.read_text(encoding="utf-8"))
    return {slug(heading) for heading in re.findall(r"^#+ +(.+)$", text, flags=re.MULTILINE)}


@pytest.mark.parametrize("path", DOCS, ids=lambda path: str(path.relative_to(ROOT)))
def test_relative_links_resolve(path: Path) -> None:
    text = FENCE.sub("", path.read_text(encoding="utf-8"))
    broken = []
    for link in re.findall(r"\]\((?!https?:|mailto:)([^)\s]+)\)", text):
        file, _, anchor = link.partition("#")
        target = (path.parent / file).resolve() if file else path
        if not target.exists() or (anchor and anchor not in anchors_of(target)):
            broken.append(link)

    assert broken == []


@pytest.mark.parametrize("path", DOCS, ids=lambda path: str(path.relative_to(ROOT)))
def test_prose_fits_the_page(path: Path) -> None:
    text = FENCE.sub("", path.read_text(encoding="utf-8"))
    long = [
        line
        for line in text.splitlines()
        if len(line) > 140 and not line.lstrip().startswith("|") and "](" not in line
    ]

    assert long == []
