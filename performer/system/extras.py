"""The line that installs an extra where this program runs: the name `performer` on PyPI is another project's."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]


def install_line(extra: str) -> str:
    """What to type to get an extra, such as "train", into the environment that runs now."""
    if (CHECKOUT / "pyproject.toml").is_file():
        own = CHECKOUT / "run"
        if os.name != "nt" and own.is_file() and Path(sys.prefix) == CHECKOUT / ".venv":
            return f"{shlex.quote(str(own))} install {extra}"
        return pip_line("--editable", f"{CHECKOUT}[{extra}]")
    return pip_line(*requirements(extra))


def requirements(extra: str) -> list[str]:
    """The packages of an extra, as the installed distribution names them: "torch>=2.6"."""
    import importlib.metadata  # which is slow to load, and seldom needed

    try:
        told = importlib.metadata.requires("performer") or []
    except importlib.metadata.PackageNotFoundError:
        return []
    wanted = []
    for line in told:
        package, _, condition = line.partition(";")
        if condition.strip().replace("'", '"') == f'extra == "{extra}"':
            wanted.append(package.strip())
    return wanted


def pip_line(*words: str, command: str = "install") -> str:
    """A line for pip in the environment that runs now; for uv where that environment has no pip."""
    import importlib.util

    if importlib.util.find_spec("pip") is not None:
        line = [sys.executable, "-m", "pip", command, *words]
    else:
        line = ["uv", "pip", command, "--python", sys.executable, *words]
    return subprocess.list2cmdline(line) if os.name == "nt" else shlex.join(line)
