"""Numbers meet nouns: one of something is one."""

import ast
import re
from pathlib import Path

from performer.rig.live.governor import LADDER
from performer.system.errors import counted

NOUNS = (
    "parent",
    "place",
    "model",
    "preset",
    "shader",
    "picture",
    "beat",
    "bar",
    "recording",
    "direction",
    "input",
    "output",
    "effect",
    "thread",
    "core",
    "file",
    "frame",
    "tap",
    "click",
    "knob",
    "visitor",
    "monitor",
)


def test_one_is_one():
    assert [counted(n, "place") for n in (0, 1, 2)] == ["0 places", "1 place", "2 places"]
    assert [counted(n, "process", "processes") for n in (1, 2)] == ["1 process", "2 processes"]
    assert [str(rung).rpartition(", ")[2] for rung in LADDER if rung.skip][:2] == [
        "1 effect left out",
        "2 effects left out",
    ]


def test_no_number_stands_before_a_bare_plural():
    """`{len(x)} places` and `{n} place(s)`: counted() knows better."""
    wrong = re.compile(rf"^ (?:\w+ )?(?:{'|'.join(NOUNS)})(?:s\b|\(s\))")
    found = []
    for path in sorted((Path(__file__).parents[2] / "performer").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            parts = node.values if isinstance(node, ast.JoinedStr) else []
            for before, number, text in zip([None, *parts], parts, parts[1:], strict=False):
                if isinstance(before, ast.Constant) and before.value.endswith(" of "):  # 3 of 8 clicks
                    continue
                if (
                    isinstance(number, ast.FormattedValue)
                    and _is_count(number.value)
                    and isinstance(text, ast.Constant)
                    and wrong.match(text.value)
                ):
                    found.append(f"{path.name}:{node.lineno}: {ast.unparse(node)}")
    assert not found


def _is_count(value: ast.expr) -> bool:
    """Whether it may be one: what len() says, or a number whose name says so."""
    if isinstance(value, ast.Call):
        return isinstance(value.func, ast.Name) and value.func.id == "len"
    name = value.attr if isinstance(value, ast.Attribute) else value.id if isinstance(value, ast.Name) else ""
    return name in ("count", "number", "bars", "files", "skip", "dropped", "threads")
