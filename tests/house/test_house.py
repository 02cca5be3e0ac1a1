"""The house: imports run downwards only, and adapters never import each other."""

import ast
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[2] / "performer"

#: Rooms from top to bottom. A room may import rooms further down, never one beside it or above.
FLOORS = (
    {"__main__"},
    {"cli"},
    {"lab"},
    {"rig"},
    {"io", "generators", "gl"},
    {"show"},
    {"content"},
    {"audio", "latent"},
    {"types"},
    {"system"},
)
FLOOR = {room: len(FLOORS) - number for number, rooms in enumerate(FLOORS) for room in rooms}


def imported(tree: ast.Module) -> set[str]:
    """Dotted names of all modules that a module imports, anywhere in it."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute here"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def test_nothing_is_loose_but_the_start():
    assert {path.name for path in PACKAGE.glob("*.py")} == {"__init__.py", "__main__.py"}
    rooms = {path.name for path in PACKAGE.iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert rooms == set(FLOOR) - {"__main__"}


def test_imports_run_downwards_only():
    wrong = []
    for path in PACKAGE.rglob("*.py"):
        room = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
        if room == "__init__":
            continue
        for name in imported(ast.parse(path.read_text())):
            top, _, rest = name.partition(".")
            other = rest.partition(".")[0]
            if top == "performer" and other != room and FLOOR.get(other, -1) >= FLOOR[room]:
                wrong.append(f"{path.relative_to(PACKAGE)} imports {name}")
    assert not wrong
