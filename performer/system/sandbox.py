"""Work on a stranger's file in a process of its own, with bounds on time and memory."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from performer.system.errors import Fault
from performer.system.onnx_errors import onnx_reason


def ask(body: str, path: Path, words: dict[str, Any], time_s: float, too_long: str) -> dict[str, Any]:
    """Have a function do the work, and return what it answers. Raises Fault: its own, or what became of the process.

    Parameters
    ----------
    body : str
        Module:function; the function calls `answer`.
    path : Path
        Path of the file, for the words of a Fault.
    words : dict[str, Any]
        What the function is told, of JSON's kinds.
    too_long : str
        What to say of the file when that takes longer than time_s seconds.
    """
    module, function = body.split(":")
    paths = [str(Path(__file__).resolve().parents[2]), os.environ.get("PYTHONPATH", "")]
    words = {key: _whole(word) if isinstance(word, str) else word for key, word in words.items()}
    try:
        done = subprocess.run(  # in bytes: what libraries say there may be in any encoding
            [sys.executable, "-c", f"from {module} import {function}; {function}()"],
            input=json.dumps(words).encode("ascii"),
            capture_output=True,
            timeout=time_s,
            env={
                **os.environ,
                "PYTHONPATH": os.pathsep.join(filter(None, paths)),
                "OMP_NUM_THREADS": "2",
                "PYTHONUTF8": "1",
                "PYTHONIOENCODING": "utf-8",
            },
        )
    except subprocess.TimeoutExpired:
        raise Fault(f"{path}: {too_long}") from None
    try:
        said: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    except (IndexError, ValueError):
        raise Fault(f"{path}: the trial process crashed;  {_end(done)}") from None
    if "fault" in said:
        raise Fault(said["fault"])
    return said


def _end(done: subprocess.CompletedProcess[bytes]) -> str:
    """Why a process ended without an answer, as far as it can be told."""
    said = [line.strip() for line in done.stderr.decode("utf-8", "replace").splitlines() if line.strip()]
    if any("bad_alloc" in line or "MemoryError" in line or "Cannot allocate memory" in line for line in said):
        return "it needs too much memory"
    if done.returncode == -9:
        return "the system ended it, as it does where memory runs out"
    if done.returncode < 0:
        try:
            how = signal.Signals(-done.returncode).name
        except ValueError:
            how = f"signal {-done.returncode}"
        return f"it crashed ({how})"
    return onnx_reason(RuntimeError(said[-1])) if said else f"it ended with {done.returncode}"


def _whole(word: str) -> str:
    """A path whose bytes this process could not read as letters, under a C locale, as UTF-8 reads them."""
    return word.encode("utf-8", "surrogateescape").decode("utf-8", "surrogateescape")


def answer(work: Callable[[dict[str, Any]], dict[str, Any]], memory_bytes: int) -> None:
    """The body of that process: one question on standard input, one answer, a line of JSON."""
    words = json.load(sys.stdin)
    _bound(memory_bytes)
    try:
        said = work(words)
    except Fault as fault:
        said = {"fault": str(fault)}
    except MemoryError:
        said = {"fault": f"{words['path']}: needs more memory than {memory_bytes >> 30} GB"}
    except Exception as error:  # whatever a library makes of a file that nobody foresaw
        said = {"fault": f"{words['path']}: cannot be tried ({type(error).__name__}: {onnx_reason(error)})"}
    print("\n" + json.dumps(said))  # after a line that a library may have left open


def _bound(memory_bytes: int) -> None:
    try:
        import resource
    except ImportError:  # Windows: the time alone is bounded
        return
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
