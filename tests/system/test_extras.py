"""The line that a missing extra names can be typed, and brings nobody else's package."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import shlex
import sys
from pathlib import Path

import pytest

from performer.system import extras

ROOT = Path(__file__).resolve().parents[2]


def test_from_another_environment_it_installs_this_checkout_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "prefix", "/opt/other")
    line = shlex.split(extras.install_line("train"))
    assert line[-2:] == ["--editable", f"{ROOT}[train]"] and sys.executable in line


def test_in_the_checkouts_own_environment_it_is_one_short_word(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    checkout = tmp_path / "my checkout"
    checkout.mkdir()
    for name in ("run", "pyproject.toml"):
        (checkout / name).write_text("")
    monkeypatch.setattr(extras, "CHECKOUT", checkout)
    monkeypatch.setattr(sys, "prefix", str(checkout / ".venv"))
    assert shlex.split(extras.install_line("page")) == [str(checkout / "run"), "install", "page"]


def test_installed_from_a_wheel_it_names_the_packages(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    told = ["numpy>=2.0", "torch>=2.6; extra == 'train'", 'onnx>=1.17 ; extra == "train"', "uvicorn; extra == 'page'"]
    monkeypatch.setattr(extras, "CHECKOUT", tmp_path)
    monkeypatch.setattr(importlib.metadata, "requires", lambda name: told)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: object())
    line = shlex.split(extras.install_line("train"))
    assert line == [sys.executable, "-m", "pip", "install", "torch>=2.6", "onnx>=1.17"]
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert shlex.split(extras.install_line("page")) == ["uv", "pip", "install", "--python", sys.executable, "uvicorn"]


def test_no_message_and_no_page_installs_somebody_elses_package() -> None:
    told = [*(ROOT / "performer").rglob("*.py"), *(ROOT / "docs").glob("*.md"), ROOT / "README.md"]
    for path in told:
        text = path.read_text(encoding="utf-8")
        assert "performer[" not in text and "install performer\n" not in text, path


def test_every_extra_that_a_message_names_is_there() -> None:
    import re
    import tomllib

    known = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    offered = (ROOT / "run").read_text()
    for path in (ROOT / "performer").rglob("*.py"):
        for extra in re.findall(r"install_line\(['\"](\w+)['\"]\)", path.read_text(encoding="utf-8")):
            assert extra in known and extra in offered, f"{path}: {extra}"
