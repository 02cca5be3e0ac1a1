"""The pages and the rendered reference keep step with the code."""

import ast
import importlib.util
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "performer"
PURE = ("types", "system", "audio", "latent", "content", "show")
PAGES = [*sorted((ROOT / "docs").glob("*.md")), ROOT / "CONTRIBUTING.md", ROOT / "README.md"]


@pytest.fixture(scope="module")
def sources():
    spec = importlib.util.spec_from_file_location("sources", ROOT / "docs" / "rendering" / "sources.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def undocumented(tree: ast.Module) -> list[str]:
    """Public functions and classes, and public methods of these, that have no docstring."""
    found = [] if ast.get_docstring(tree) else ["the module"]

    def look(body, before=""):
        for node in body:
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith("_"):
                if ast.get_docstring(node) is None:
                    found.append(f"{before}{node.name}")
                if isinstance(node, ast.ClassDef):
                    look(node.body, f"{node.name}.")

    look(tree.body)
    return found


@pytest.mark.parametrize("room", PURE)
def test_all_that_is_public_in_a_pure_room_says_what_it_does(room):
    silent = {}
    for path in (PACKAGE / room).rglob("*.py"):
        if path.stat().st_size and (names := undocumented(ast.parse(path.read_text(encoding="utf-8")))):
            silent[str(path.relative_to(ROOT))] = names
    assert not silent


def test_undocumented_names_are_found():
    code = '"""A module."""\ndef told():\n    """Do it."""\ndef silent(): ...\n'
    code += 'class Box:\n    """A box."""\n    def open(self): ...\n    def _hidden(self): ...'
    assert undocumented(ast.parse(code)) == ["silent", "Box.open"]


def test_the_reference_has_every_room_and_every_module(sources):
    rooms = {path.name for path in PACKAGE.iterdir() if path.is_dir() and path.name not in ("__pycache__", "factory")}
    assert set(sources.ROOMS) == rooms
    listed = [name for room in sources.ROOMS for name in sources.modules(room)]
    assert "performer.latent.walks" in listed
    for name in listed:
        path = ROOT.joinpath(*name.split("."))
        assert path.with_suffix(".py").is_file() or (path / "__init__.py").is_file()


def test_the_configuration_names_what_is_there(sources):
    folder = ROOT / "docs" / "rendering"
    text = (folder / "mkdocs.yml").read_text(encoding="utf-8")
    (hook,) = re.findall(r"hooks:\n  - (\S+)", text)
    (pages,) = re.findall(r"^docs_dir: (\S+)", text, re.M)
    (made,) = re.findall(r"^site_dir: (\S+)", text, re.M)
    (source,) = re.findall(r"paths: \[(\S+)\]", text)
    assert (folder / hook).is_file() and (folder / pages / "index.md").is_file()
    assert (folder / source / "performer" / "__init__.py").resolve().is_file()
    ignored = (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
    assert f"/{(folder / made).resolve().relative_to(ROOT)}/" in ignored
    told = {f"guides/{path.name}" for path in sources.guides()} | {"examples.md"}
    links = set(re.findall(r"\]\(([^)]+)\)", (folder / pages / "index.md").read_text(encoding="utf-8")))
    assert links <= told


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_pages_name_files_that_are_there(page):
    text = page.read_text(encoding="utf-8")
    named = set(re.findall(r"(?<![\w/.~])(?:performer|tests|docs)/[\w./-]*\w", text))
    linked = set(re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text))
    gone = [name for name in named if not (ROOT / name).exists()]
    gone += [link for link in linked if not (page.parent / link).exists()]
    assert not [name for name in gone if name not in ("docs/reference",)]


def test_the_wheel_says_that_it_is_typed():
    assert (PACKAGE / "py.typed").is_file()
