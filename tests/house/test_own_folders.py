"""No test reads or writes what belongs to the person who runs it."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import platformdirs
import pytest

ASK = """
from performer.system import folders
import platformdirs
print(folders.data())
for kind in ("config", "cache", "data", "state", "runtime", "pictures", "videos"):
    print(getattr(platformdirs, f"user_{kind}_dir")())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="where the folders lie is Linux's convention")
def test_every_folder_of_a_user_lies_in_this_runs_own_home_also_for_what_tests_start() -> None:
    home = Path(os.environ["HOME"])
    assert home.parent == Path(tempfile.gettempdir()) and home.name.startswith("performer-tests-")
    done = subprocess.run([sys.executable, "-c", ASK], capture_output=True, text=True, check=True)
    folders = [Path(line) for line in done.stdout.splitlines()]
    assert len(folders) == 8 and all(folder.is_relative_to(home) for folder in folders), folders
    assert folders[0] == Path(platformdirs.user_data_dir("performer", appauthor=False))
