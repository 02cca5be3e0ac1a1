"""A program that is interrupted ends in one line, with nothing lost: in imports, at work, while closing, at the end."""

import signal
import subprocess
import sys
import textwrap

import pytest
from parts.patience import PATIENCE_S

OPENING = """
import sys, time
from performer.system import interrupts
from performer.system.supervisor import run_to_exit
interrupts.catch()
def ready(word="ready"):
    print(word, flush=True)
def rest():
    for _ in range(3000):
        time.sleep(0.01)
"""
NUMBERS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]


class Program:
    """A program of a few lines, which says `ready` where it is to be interrupted."""

    def __init__(self, lines: str, folder, ignored=()) -> None:
        def hear() -> None:
            for number in NUMBERS:
                signal.signal(number, signal.SIG_IGN if number in ignored else signal.SIG_DFL)
            if signal.SIGINT not in ignored:
                signal.signal(signal.SIGINT, signal.default_int_handler)

        text = OPENING + textwrap.dedent(lines)
        self.process = subprocess.Popen(
            [sys.executable, "-c", text],
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=hear,
        )

    def interrupt(self, number=signal.SIGINT, word="ready") -> None:
        for line in self.process.stdout:
            if line.strip() == word:
                self.process.send_signal(number)
                return
        raise AssertionError(f"it ended before it said {word!r}: {self.process.stderr.read()}")

    def ends(self) -> tuple[int, str, str]:
        try:
            out, err = self.process.communicate(timeout=PATIENCE_S)
        finally:
            self.process.kill()
        return self.process.returncode, out, err


@pytest.mark.parametrize("number", NUMBERS)
def test_at_work_it_ends_in_one_line(tmp_path, number):
    it = Program("def body():\n    ready()\n    rest()\nrun_to_exit(body)", tmp_path)
    it.interrupt(number)
    code, _, said = it.ends()
    assert code == 128 + number and said.startswith("performer: ") and said.count("\n") == 1


def test_in_the_middle_of_an_import(tmp_path):
    (tmp_path / "slow.py").write_text("from __main__ import ready, rest\nready()\nrest()\n")
    swallowed = "sys.path.insert(0, '')\ntry:\n    import slow\nexcept BaseException:\n    raise ImportError('broken')"
    it = Program(swallowed, tmp_path)
    it.interrupt()
    assert it.ends()[::2] == (130, "performer: interrupted\n")


def test_before_its_work_has_begun(tmp_path):
    it = Program("ready()\nrest()", tmp_path)
    it.interrupt()
    assert it.ends()[::2] == (130, "performer: interrupted\n")


@pytest.mark.parametrize("number", NUMBERS)
def test_while_it_closes_it_is_left_to_close(tmp_path, number):
    it = Program(
        """
        def body():
            try:
                ready()
                rest()
            finally:
                for i in range(5):
                    ready(f"closing {i}")
                    time.sleep(0.05)
                open("film", "w").write("whole")
        run_to_exit(body)
        """,
        tmp_path,
    )
    it.interrupt()
    for i in range(5):
        it.interrupt(number, f"closing {i}")
    code, _, said = it.ends()
    assert code == 130 and (tmp_path / "film").read_text() == "whole" and "Traceback" not in said
    assert said.splitlines()[-1] == "performer: interrupted"


def test_where_a_destructor_is_at_work(tmp_path):
    it = Program(
        """
        class Slow:
            def __del__(self):
                ready()
                rest()
        def body():
            Slow()
            ready("survived")
            rest()
        run_to_exit(body)
        """,
        tmp_path,
    )
    it.interrupt()
    assert it.ends()[::2] == (130, "performer: interrupted\n")


def test_at_the_very_end_nothing_is_changed(tmp_path):
    it = Program(
        """
        import atexit
        atexit.register(lambda: (ready(), time.sleep(0.2), ready("over")))
        run_to_exit(lambda: None)
        """,
        tmp_path,
    )
    it.interrupt()
    code, out, said = it.ends()
    assert (code, out, said) == (0, "over\n", "")


def test_what_lasts_too_long_can_be_left(tmp_path):
    it = Program(
        """
        interrupts.PATIENCE_S = 0.0
        def body():
            try:
                ready()
                rest()
            finally:
                ready("closing")
                rest()
        run_to_exit(body)
        """,
        tmp_path,
    )
    it.interrupt()
    it.interrupt(word="closing")
    assert it.ends()[::2] == (130, "performer: interrupted\n")


def test_a_show_is_left_once_and_its_end_is_its_own(tmp_path):
    it = Program(
        """
        from performer.system.supervisor import signals
        def body():
            left = []
            with signals(lambda: left.append(1)):
                ready()
                while not left:
                    time.sleep(0.01)
                for i in range(3):
                    ready(f"closing {i}")
                    time.sleep(0.05)
            ready("written")
            time.sleep(0.2)
            ready(f"left {len(left)}")
        run_to_exit(body)
        """,
        tmp_path,
    )
    it.interrupt()
    for word in ("closing 0", "closing 1", "closing 2", "written"):
        it.interrupt(word=word)
    code, out, said = it.ends()
    assert code == 0 and out == "left 1\n" and "Traceback" not in said


def test_a_command_that_typer_runs(tmp_path):
    it = Program(
        """
        import typer
        app = typer.Typer()
        @app.command()
        def work():
            ready()
            rest()
        run_to_exit(lambda: app([]))
        """,
        tmp_path,
    )
    it.interrupt(signal.SIGTERM)
    assert it.ends()[::2] == (143, "performer: ended by SIGTERM\n")


def test_before_a_call_has_begun(tmp_path):
    it = Program(
        """
        import threading
        from performer.system.timeouts import Call
        class Slow(threading.Thread):
            def start(self):
                ready()
                rest()
        threading.Thread = Slow
        run_to_exit(lambda: Call(rest))
        """,
        tmp_path,
    )
    it.interrupt()
    assert it.ends()[::2] == (130, "performer: interrupted\n")


def test_what_was_ignored_stays_so(tmp_path):
    it = Program("run_to_exit(lambda: (ready(), time.sleep(0.2), ready('over')))", tmp_path, ignored=[signal.SIGINT])
    it.interrupt()
    assert it.ends() == (0, "over\n", "")


def test_those_that_work_for_it_say_nothing(tmp_path):
    it = Program(
        """
        from concurrent.futures import ProcessPoolExecutor
        import multiprocessing, os, signal
        def work(_):
            open("begun", "w").close()
            rest()
        def body():
            context = multiprocessing.get_context("fork")
            with ProcessPoolExecutor(2, context, initializer=interrupts.leave_to_parent) as pool:
                jobs = [pool.submit(work, i) for i in range(2)]
                while not os.path.exists("begun"):
                    time.sleep(0.01)
                for one in multiprocessing.active_children():
                    os.kill(one.pid, signal.SIGINT)
                ready()
                rest()
        run_to_exit(body)
        """,
        tmp_path,
    )
    it.interrupt()
    assert it.ends()[::2] == (130, "performer: interrupted\n")


@pytest.mark.parametrize("command", [["play", "--headless"], ["--help"], ["devices"]])
def test_the_program_takes_over_before_its_imports(tmp_path, command):
    """The heavy imports come after, in both ways to start it."""
    (tmp_path / "typer.py").write_text("print('ready', flush=True)\nimport time\ntime.sleep(30.0)\n")
    for start in (["-m", "performer"], ["-c", "from performer.cli.program import program; program()"]):
        process = subprocess.Popen(
            [sys.executable, *start, *command],
            env={"PYTHONPATH": f"{tmp_path}:{':'.join(filter(None, sys.path))}", "HOME": str(tmp_path)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
        )
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGINT)
        assert process.communicate(timeout=PATIENCE_S)[1] == "performer: interrupted\n" and process.returncode == 130
