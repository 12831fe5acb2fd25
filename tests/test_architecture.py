"""The shape of the house: what importing costs, what is public, which room stands on which."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

import pytest

import scrmkit
from scrmkit import MissingExtra


pytestmark = pytest.mark.core

SOURCE = Path(scrmkit.__file__).parent
HEAVY = ("matplotlib", "narwhals", "networkx", "numpy", "polars", "scipy")
DOCUMENTED = re.compile(
    r"^\.\. auto(?:class|data|decorator|exception|function):: scrmkit\.(\S+)$", re.MULTILINE
)


_PARTS = {"strategies"}  # a module of a public package: its names are on the same page


def run(code: str) -> str:
    """What a fresh interpreter prints, with warnings as errors."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


def in_order(names: list[str]) -> list[str]:
    """Names as people look them up: constants first, each once."""
    return sorted(set(names), key=lambda name: (not name.isupper(), name))


def public_names(module: Path) -> list[str]:
    """The `__all__` of a module or a package, without importing it."""
    if not module.exists():
        module = module.with_suffix("") / "__init__.py"
    for node in ast.parse(module.read_text()).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return list(ast.literal_eval(node.value))
    return []


def rooms() -> list[str]:
    """The names of all modules and packages in the house."""
    return sorted(
        path.stem
        for path in SOURCE.iterdir()
        if path.suffix == ".py" or (path / "__init__.py").exists()
    )


def public_rooms() -> list[str]:
    """The rooms that people import."""
    return [name for name in rooms() if not name.startswith("_")]


def test_importing_is_light_and_quiet() -> None:
    """`import scrmkit` loads no data library and warns of nothing."""
    code = f"import sys, scrmkit; print([name for name in {HEAVY!r} if name in sys.modules])"
    assert run(code).strip() == "[]"


def test_there_is_one_version() -> None:
    """The version is that of the installed distribution."""
    assert scrmkit.__version__ == version("scrmkit")


def test_an_unknown_name_is_an_attribute_error() -> None:
    """The front door names what it does not have."""
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        scrmkit.nothing  # noqa: B018


def test_rooms_can_be_reached_from_the_front_door() -> None:
    """`dir(scrmkit)` lists every public name and every room that can be entered here."""
    assert set(scrmkit.__all__) <= set(dir(scrmkit))
    quiet = {"customers", "errors", "interactions", "results"}
    for room in set(public_rooms()) - quiet:
        try:
            import_module(f"scrmkit.{room}")
        except MissingExtra:
            assert room not in dir(scrmkit)
        else:
            assert room in dir(scrmkit)


def test_the_map_of_the_house_is_complete() -> None:
    """The front door's docstring names every room that people import, and no other."""
    drawn = re.findall(r"^    (\w+)  +\S", scrmkit.__doc__ or "", re.MULTILINE)
    assert sorted(drawn) == public_rooms()


@pytest.mark.parametrize("room", ["__init__", *public_rooms()])
def test_public_names_are_sorted(room: str) -> None:
    """Every room has an `__all__`, in the order in which people look names up."""
    names = public_names(SOURCE / f"{room}.py")
    assert names
    assert names == in_order(names)


def test_every_room_has_a_floor(root: Path) -> None:
    """No module is left out of the contract that imports run downstairs only."""
    with (root / "pyproject.toml").open("rb") as file:
        contracts = tomllib.load(file)["tool"]["importlinter"]["contracts"]
    placed = {
        name
        for contract in contracts
        if contract["type"] == "layers"
        for floor in contract["layers"]
        for name in re.findall(r"\w+", floor)
    }
    assert set(rooms()) - {"__init__"} <= placed


@pytest.mark.parametrize("room", public_rooms())
def test_a_room_is_documented(room: str, root: Path) -> None:
    """A room's page in the reference has exactly the room's public names."""
    page = root / "docs" / "reference" / f"{room}.md"
    documented = [name.split(".") for name in DOCUMENTED.findall(page.read_text())]
    names = [name for name in public_names(SOURCE / f"{room}.py") if name not in _PARTS]
    assert in_order([name for _, name in documented]) == names
    assert {where for where, _ in documented} == {room}


def test_the_front_door_is_documented(root: Path) -> None:
    """Every name at the front door is in the reference of the room it comes from."""
    pages = (root / "docs" / "reference").glob("*.md")
    documented = {
        name.split(".")[-1] for page in pages for name in DOCUMENTED.findall(page.read_text())
    }
    assert set(scrmkit.__all__) <= documented


def test_the_readme_opens_with_two_commands(root: Path) -> None:
    """After the title and three lines come two blocks of one line: try it, and test it."""
    title, _, rest = (root / "README.md").read_text().partition("\n")
    lead, *blocks = rest.split("```sh\n")
    commands = [block.partition("\n```\n")[0] for block in blocks[:2]]
    assert title == "# scrmkit"
    assert len(lead.strip().splitlines()) == 3
    assert [command.count("\n") for command in commands] == [0, 0]
    assert commands[0].endswith("python -m scrmkit demo")
    assert commands[1].endswith("pytest -q -n auto --dist loadfile")
    assert blocks[0].partition("\n```\n")[2].strip() == ""


def test_the_laws_are_tested_where_the_page_says(root: Path) -> None:
    """Every test that the page of laws names is there."""
    page = (root / "docs" / "explanation" / "laws.md").read_text()
    rows = re.findall(r"^\|[^|]*\| `(test_\w+\.py)` \|(.*)\|$", page, re.MULTILINE)
    assert len(rows) >= 10
    for file, tests in rows:
        text = (root / "tests" / file).read_text()
        for name in re.findall(r"`(\w+)`", tests):
            assert f"def {name}(" in text, name
