"""The pages and the rendered reference keep step with the code."""

import ast
import importlib.util
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "performer"
PURE = ("types", "system", "audio", "latent", "content", "show")
ADAPTERS = ("io", "generators", "gl", "rig")
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


def sections(text: str) -> dict[str, list[str]]:
    """Title of each numpydoc section -> the names that it lists."""
    found = {}
    for title, body in re.findall(r"^([A-Z]\w+)\n-{4,}\n(.*?)(?=\n\n[A-Z]\w+\n-{4,}\n|\Z)", text, re.M | re.S):
        lines = [line for line in body.splitlines() if line and not line.startswith(" ")]
        found[title] = [name.strip() for line in lines for name in line.partition(" : ")[0].split(",")]
    return found


def signature(node: ast.FunctionDef | ast.ClassDef) -> set[str]:
    """The parameters of a function, or of a class's constructor; the fields of a class without one."""
    if isinstance(node, ast.ClassDef):
        starts = [part for part in node.body if isinstance(part, ast.FunctionDef) and part.name == "__init__"]
        if not starts:
            return {part.target.id for part in node.body if isinstance(part, ast.AnnAssign)}
        node = starts[0]
    every = (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs, node.args.vararg)
    return {one.arg for one in every if one is not None} - {"self", "cls"}


def ill_told(tree: ast.Module) -> list[str]:
    """Docstrings that list parameters by hand rather than in a numpydoc section, or name one that is not there."""
    found = []
    for node in ast.walk(tree):
        if not isinstance(node, (ast.FunctionDef, ast.ClassDef)) or node.name.startswith("_"):
            continue
        text, known = ast.get_docstring(node) or "", signature(node)
        by_hand = [one for one in re.findall(r"(?:^|; )(\w+)(?:, \w+)* {2,}\S", text, re.M) if one in known]
        gone = [one for one in sections(text).get("Parameters", []) if one not in known]
        found += [f"{node.name}: {one}" for one in (*by_hand, *gone)]
    return found


@pytest.mark.parametrize("room", [*PURE, *ADAPTERS])
def test_parameters_are_told_in_numpydoc_sections_and_are_there(room):
    wrong = {}
    for path in (PACKAGE / room).rglob("*.py"):
        if names := ill_told(ast.parse(path.read_text(encoding="utf-8"))):
            wrong[str(path.relative_to(ROOT))] = names
    assert not wrong


def test_ill_told_parameters_are_found():
    code = 'def by_hand(a, b):\n    """Do.\n\n    a  one\n    b  two\n    """\n'
    code += 'def gone(a):\n    """Do.\n\n    Parameters\n    ----------\n    a, c : int\n        Of it.\n    """'
    assert ill_told(ast.parse(code)) == ["by_hand: a", "by_hand: b", "gone: c"]


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
