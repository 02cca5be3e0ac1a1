"""The person's folders, and files that are written whole or not at all."""

from __future__ import annotations

import ast
import os
import re
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from performer.system import folders
from performer.system.errors import Fault

ROOT = Path(__file__).resolve().parents[2]


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_is_written_and_replaced(tmp_path: Path) -> None:
    path = tmp_path / "new" / "deep" / "bank.toml"
    for text in ("dämmerung\n", "x"):
        folders.write_text(path, text)
        assert path.read_bytes() == text.encode() and names(path.parent) == ["bank.toml"]


def test_an_error_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint"
    path.write_bytes(b"old")
    with pytest.raises(ZeroDivisionError), folders.replacing(path) as file:
        file.write(b"half")
        raise ZeroDivisionError
    with pytest.raises(Fault, match=r"checkpoint: cannot be written: No space left"), folders.replacing(path) as file:
        file.write(b"half")
        raise OSError(28, "No space left on device")
    assert path.read_bytes() == b"old" and names(tmp_path) == ["checkpoint"]


@pytest.mark.parametrize("place", ["file/a.toml", "folder", "n" * 300], ids=["in a file", "a folder", "a long name"])
def test_where_it_cannot_be_it_is_one_line(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "folder").mkdir()
    with pytest.raises(Fault) as caught:
        folders.write_text(tmp_path / place, "text")
    assert str(caught.value).startswith(f"{tmp_path / place}: cannot be written: ")
    assert "\n" not in str(caught.value) and names(tmp_path) == ["file", "folder"]


def test_what_is_no_file_is_not_replaced(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(Fault, match="not a regular file"):
        folders.write_text(tmp_path / "pipe", "text")
    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)


def test_rights_are_kept_and_a_secret_is_its_owner_s(tmp_path: Path) -> None:
    path, secret, plain = tmp_path / "shared", tmp_path / "token", tmp_path / "plain"
    path.write_text("old")
    path.chmod(0o664)
    folders.write_text(path, "new")
    folders.write_text(secret, "word", private=True)
    folders.write_text(plain, "text")
    (tmp_path / "umask").write_text("")
    assert stat.S_IMODE(path.stat().st_mode) == 0o664
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    assert plain.stat().st_mode == (tmp_path / "umask").stat().st_mode


def test_of_a_link_what_it_leads_to_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "dotfiles").mkdir()
    (tmp_path / "dotfiles" / "pads.toml").write_text("old")
    (tmp_path / "pads.toml").symlink_to(tmp_path / "dotfiles" / "pads.toml")
    folders.write_text(tmp_path / "pads.toml", "new")
    assert (tmp_path / "pads.toml").is_symlink()
    assert (tmp_path / "dotfiles" / "pads.toml").read_text() == "new"


def test_two_writers_do_not_cross(tmp_path: Path) -> None:
    """Both are in the middle at once; each has all of its own, and the later one stays."""
    path = tmp_path / "pads.toml"
    with folders.replacing(path) as first:
        first.write(b"first, ")
        with folders.replacing(path) as second:
            second.write(b"second, whole")
            first.write(b"whole")
        assert path.read_bytes() == b"second, whole"
    assert path.read_bytes() == b"first, whole" and names(tmp_path) == ["pads.toml"]


def test_a_reader_never_sees_half(tmp_path: Path) -> None:
    path, seen, stop = tmp_path / "bank.toml", set(), threading.Event()
    folders.write_bytes(path, b"a" * 100_000)

    def look() -> None:
        while not stop.is_set():
            seen.add(path.read_bytes())

    reader = threading.Thread(target=look)
    reader.start()
    for i in range(40):
        folders.write_bytes(path, b"ba"[i % 2 : i % 2 + 1] * 100_000)
    stop.set()
    reader.join()
    assert seen <= {b"a" * 100_000, b"b" * 100_000}


def test_a_free_name_is_another_s_never(tmp_path: Path) -> None:
    made = [folders.free_name(tmp_path / "set.mp4").name for _ in range(3)]
    assert made == ["set.mp4", "set 2.mp4", "set 3.mp4"] == sorted(names(tmp_path), key=lambda name: (len(name), name))


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the system knows the folders, not the environment")
def test_the_environment_says_where_the_folders_are(tmp_path: Path) -> None:
    code = (
        "from performer.system import folders\n"
        "from performer.content.banks import bank_folder\n"
        "from performer.content.library import content_folders\n"
        "from performer.content.settings.midi_bindings import pads_path\n"
        "from performer.content.settings.page_token import word_path\n"
        "from performer.rig.calibration.settings_file import calibration_path\n"
        "print(bank_folder(), content_folders()[1], pads_path(), word_path(), calibration_path(), folders.cache(), "
        "sep='\\n')"
    )
    kinds = {f"XDG_{name}_HOME": str(tmp_path / name.lower()) for name in ("DATA", "CONFIG", "CACHE")}
    ran = subprocess.run(
        [sys.executable, "-c", code], env=os.environ | kinds, capture_output=True, text=True, check=True
    )
    found = [str(Path(line).relative_to(tmp_path)) for line in ran.stdout.splitlines()]
    own = ["data/performer/banks", "data/performer"]
    settings = [f"config/performer/{name}" for name in ("pads.toml", "page.word", "calibration.toml")]
    assert found == [*own, *settings, "cache/performer"] and names(tmp_path) == []


def at_import(tree: ast.AST) -> Iterator[ast.AST]:
    """What runs when a module is imported: all but the functions' bodies, with their defaults and decorators."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            arguments = node.args
            parts = [*arguments.defaults, *arguments.kw_defaults, *getattr(node, "decorator_list", [])]
            for part in filter(None, parts):
                yield from ast.walk(part)
        else:
            yield node
            yield from at_import(node)


def test_only_one_module_knows_the_person_s_folders_and_replaces_files() -> None:
    """What is asked at import would be asked before a test, or a person, could say otherwise."""
    ask = re.compile(r"(own_)?folders\.\w+|\w*_folders?|\w+_path")
    knows, replaces, early = set(), set(), []
    for path in sorted((ROOT / "performer").rglob("*.py")):
        name, text = str(path.relative_to(ROOT / "performer")), path.read_text(encoding="utf-8")
        if "platformdirs" in text:
            knows.add(name)
        if "os.replace" in text or "os.rename" in text:
            replaces.add(name)
        if "folders" not in text and "_path(" not in text:
            continue
        for node in at_import(ast.parse(text)):
            if isinstance(node, ast.Call) and ask.fullmatch(ast.unparse(node.func)):
                early.append(f"{name}:{node.lineno}")
    assert knows == {"system/folders.py"}
    assert replaces <= {"system/folders.py", "content/settings/midi_bindings.py"}  # which puts a bad file aside
    assert early == []
