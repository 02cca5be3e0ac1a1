"""The house keeps its style: ruff everywhere, mypy --strict in the pure rooms."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PURE = [f"performer/{room}" for room in ("types", "system", "audio", "latent", "content", "show")]


def run(*command: str) -> None:
    done = subprocess.run([sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_ruff_has_nothing_to_say():
    pytest.importorskip("ruff")
    run("ruff", "check", "--no-cache", "performer", "tests")


def test_the_pure_rooms_are_strictly_typed():
    pytest.importorskip("mypy")
    run("mypy", "--cache-dir", "/dev/null", *PURE)


def test_every_file_is_formatted():
    pytest.importorskip("ruff")
    run("ruff", "format", "--no-cache", "--check", "performer", "tests")
