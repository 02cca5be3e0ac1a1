"""Calls that may never return: nobody waits for them, and the process ends as it should though they go on."""

import subprocess
import sys
import threading

import pytest
from parts.patience import PATIENCE_S, until

from performer.content.library import FACTORY
from performer.system.timeouts import Call, TimedOut, abandon, join_abandoned, within

PROGRAM = """
import atexit, sys, threading
from pathlib import Path
import numpy as np
from performer.system.timeouts import Call, abandon
from performer.generators.onnx.session import create
from performer.system.supervisor import run_to_exit

atexit.register(print, "good-bye")

def body():
    path = Path({path!r})
    model, painted = create(path, "cpu"), threading.Event()

    def paint():
        for _ in range({count}):
            model.paint(np.ones(64, np.float32))
            create(path, "cpu")
            painted.set()

    if {forsaken}:
        thread = threading.Thread(target=paint, daemon=True)
        thread.start()
        abandon(thread)
    else:
        Call(paint)
    painted.wait()
    print("said last", end="")
    {ending}

run_to_exit(body)
"""


def end(ending: str, count: int = 1 << 30, forsaken: bool = False) -> subprocess.CompletedProcess:
    text = PROGRAM.format(path=str(FACTORY / "models" / "chrome.onnx"), ending=ending, count=count, forsaken=forsaken)
    return subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, timeout=PATIENCE_S)


@pytest.mark.parametrize(
    ("ending", "code", "said"),
    [
        ("return", 0, ""),
        ("sys.exit(3)", 3, ""),
        ("sys.exit('no such preset')", 1, "no such preset"),
        ("raise ValueError('a defect')", 1, "ValueError: a defect"),
    ],
)
@pytest.mark.parametrize("forsaken", [False, True])
def test_a_process_whose_model_still_runs_ends_as_it_should(ending, code, said, forsaken):
    done = end(ending, forsaken=forsaken)
    assert (done.returncode, done.stdout) == (code, "said last"), done.stderr
    assert said in done.stderr and "terminate called" not in done.stderr


def test_where_all_has_returned_python_ends_as_always():
    done = end("return", count=1)
    assert (done.returncode, done.stdout, done.stderr) == (0, "said lastgood-bye\n", "")


def test_what_does_not_return_is_known_until_it_does():
    go, late = threading.Event(), []
    with pytest.raises(TimedOut):
        within(0.01, lambda: go.wait(PATIENCE_S), late.append)
    assert not join_abandoned(0.01)
    thread = threading.Thread(target=go.wait, args=(60.0,), daemon=True)
    thread.start()
    abandon(thread)
    go.set()
    assert join_abandoned(PATIENCE_S)
    assert until(lambda: late)
    assert late == [True]
    assert Call(lambda: 7).wait(PATIENCE_S) == 7 and join_abandoned(PATIENCE_S)
