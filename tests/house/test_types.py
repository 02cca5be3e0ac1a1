"""mypy --strict in all rooms; `test_style.py` looks at the pure ones, which takes a fraction of the time."""

import subprocess
import sys
from pathlib import Path

import pytest


def test_all_rooms_are_strictly_typed():
    pytest.importorskip("mypy")
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--cache-dir", "/dev/null", "performer"],
        cwd=Path(__file__).resolve().parents[2],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
