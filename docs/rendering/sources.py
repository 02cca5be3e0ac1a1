"""What mkdocs renders besides pages/: the guides, the examples, and a page for every module, found where they are.

Nothing is written beside the sources: the pages of the modules exist only while mkdocs runs.
"""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PACKAGE = ROOT / "performer"

#: Rooms, from top to bottom, and what each is for.
ROOMS = {
    "cli": "what a person types",
    "lab": "training and benchmarks",
    "rig": "wires the rest: live, offline, check, calibration",
    "io": "sound, MIDI, the control page, recordings",
    "generators": "a frame becomes images",
    "gl": "frame and images become pixels",
    "show": "one moment becomes a frame",
    "content": "what files say",
    "audio": "samples become features",
    "latent": "a position becomes a latent",
    "types": "the nouns that travel between rooms",
    "system": "mailboxes, timeouts, folders, errors",
}
#: The order in which a newcomer reads; the other guides follow by name.
FIRST = ("architecture", "glossary", "extend")


def modules(room: str) -> list[str]:
    """Dotted names of all modules of a room that say something."""
    names = []
    for path in sorted((PACKAGE / room).rglob("*.py")):
        if ast.parse(path.read_text(encoding="utf-8")).body:
            parts = path.relative_to(ROOT).with_suffix("").parts
            names.append(".".join(parts[:-1] if parts[-1] == "__init__" else parts))
    return names


def guides() -> list[Path]:
    """The pages of docs/ in the order of the menu."""
    found = sorted(DOCS.glob("*.md"), key=lambda path: path.stem)
    return sorted(found, key=lambda path: FIRST.index(path.stem) if path.stem in FIRST else len(FIRST))


def examples() -> list[Path]:
    """The programs of docs/examples/."""
    return sorted((DOCS / "examples").glob("*.py"))


def _examples_page() -> str:
    parts = ["# Examples", "The second line of each says how to start it, with the Python of `.venv` in a checkout."]
    for path in examples():
        parts += [f"## {path.stem.replace('_', ' ').capitalize()}", f"`docs/examples/{path.name}`"]
        parts.append("```python\n" + path.read_text(encoding="utf-8") + "```")
    return "\n\n".join(parts)


def on_config(config: Any) -> Any:
    """Lay the menu out."""
    reference = [
        {f"{room}: {purpose}": [{name.removeprefix(f"performer.{room}."): f"modules/{name}.md"} for name in names]}
        for room, purpose in ROOMS.items()
        if (names := modules(room))
    ]
    told = [{path.stem.capitalize(): f"guides/{path.name}"} for path in guides()]
    config["nav"] = [
        {"Start": "index.md"},
        {"Guides": told},
        {"Examples": "examples.md"},
        {"Modules": reference},
    ]
    return config


def on_files(files: Any, *, config: Any) -> Any:
    """Add what lies elsewhere, and what is made."""
    from mkdocs.structure.files import File  # here, so that the lists above can be read without mkdocs

    for path in guides():
        files.append(File.generated(config, f"guides/{path.name}", abs_src_path=str(path)))
    for path in sorted((DOCS / "pictures").iterdir()):
        files.append(File.generated(config, f"guides/pictures/{path.name}", abs_src_path=str(path)))
    files.append(File.generated(config, "examples.md", content=_examples_page()))
    for room in ROOMS:
        for name in modules(room):
            files.append(File.generated(config, f"modules/{name}.md", content=f"# {name}\n\n::: {name}\n"))
    return files
