"""Tries shaders in a process of their own before the show takes them: a hung driver cannot be interrupted in-process.

A shader that does not compile, that hangs, or that takes over 2 s to compile and draw is refused with a reason. Drivers
keep what they compiled on disk, so that the show's own compile after the trial takes milliseconds.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import secrets
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

from performer.content.shaders import ShaderSpec, load
from performer.system import folders
from performer.system.errors import Fault

log = logging.getLogger(__name__)
LIMIT_S = 2.0  # for compiling and the first picture ...
PASS_S = 0.5  # ... and more for each pass after the first
DRAW_S = 0.4  # for a picture after that: 48 us a pixel, where the heaviest that are still played take 10
LONGEST_S = 12.0  # on a machine so busy that the trial hardly runs
START_S = 30.0  # for the process to come up
SIZE = (122, 69)  # no powers of two: drivers compile apart for those, and the show's own compile finds this one's
MOST_KEPT = 4000  # verdicts in the cache
_REASONS = {
    "slow": f"takes over {LIMIT_S:g} s to compile and draw, or over {DRAW_S:g} s a picture at {SIZE[0]}x{SIZE[1]}; "
    "refused, as it would stall the show",
    "crash": "made the graphics driver crash; refused",
}


def verdicts_path() -> Path:
    """Where verdicts are kept from one start to the next."""
    return folders.cache() / "preflight.json"


class ShaderTrial:
    """Tries shaders, each once: verdicts are kept by the shader's content.

    One thread at a time.

    Parameters
    ----------
    renderer : str
        The graphics driver's name: another one, another verdict.
    cache : Path | None
        File that keeps verdicts from one start to the next; None for none.
    """

    def __init__(self, renderer: str, cache: Path | None) -> None:
        self.renderer = renderer
        self.cache = cache
        self._verdicts = _read(cache)
        self._process: subprocess.Popen[bytes] | None = None
        self._wire: socket.socket | None = None

    def start(self) -> None:
        """Have the process ready, so that the first trial is fast too. Raises Fault."""
        if self._process is not None and self._process.poll() is None:
            return
        self.stop()
        token = secrets.token_hex(16)
        paths = [str(Path(__file__).resolve().parents[2]), os.environ.get("PYTHONPATH", "")]
        with socket.create_server(("127.0.0.1", 0)) as server:
            server.settimeout(0.2)
            self._process = subprocess.Popen(
                [
                    sys.executable,
                    "-c",
                    "from performer.rig.shader_trial import attend; attend()",
                    str(server.getsockname()[1]),
                ],
                env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths)), "PERFORMER_PREFLIGHT": token},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            begun = perf_counter()
            while self._wire is None and self._process.poll() is None and perf_counter() - begun < START_S:
                try:
                    self._wire = server.accept()[0]
                except TimeoutError:
                    continue
                if self._greeting() != {"token": token}:  # somebody else on this machine
                    self._wire.close()
                    self._wire = None
        hello = self._hello()
        if hello is None or "error" in hello:
            self.stop()
            raise Fault(hello["error"] if hello else "the process that tries shaders does not start")

    def _greeting(self) -> dict[str, Any] | None:
        try:
            return self._answer(START_S)
        except (OSError, ValueError):
            return None

    def _hello(self) -> dict[str, Any] | None:
        if self._wire is None:
            return None
        try:
            self._wire.sendall(b'"begin"\n')
            return self._answer(START_S)
        except OSError:  # a timeout too
            return None

    def stop(self) -> None:
        """End the process, hung or not."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        if self._wire is not None:
            self._wire.close()
        self._process = self._wire = None

    def _answer(self, patience_s: float) -> dict[str, Any] | None:
        """The next line of the process, or None when none comes in time or ever. Raises TimeoutError."""
        assert self._wire is not None
        self._wire.settimeout(patience_s)
        try:
            line = _line(self._wire)
        except TimeoutError:
            raise
        except OSError:
            return None
        return json.loads(line) if line else None

    def examine(self, specs: Sequence[ShaderSpec]) -> dict[str, Fault]:
        """Try shaders that lie in files; name -> Fault for those to refuse. What was tried before costs nothing."""
        refused: dict[str, Fault] = {}
        tried = False
        for spec in specs:
            if spec.path is None:
                continue
            key = self._key(spec)
            reason = self._verdicts.get(key)
            if reason is None:
                reason, lasting = self._try(spec)
                tried |= lasting
                if lasting:
                    self._verdicts[key] = reason
            if reason:
                refused[spec.name] = Fault(f"{spec.where}: {_REASONS[reason]}" if reason in _REASONS else reason)
        if tried:
            _write(self.cache, self._verdicts)
        return refused

    def _try(self, spec: ShaderSpec) -> tuple[str, bool]:
        """The reason to refuse it (one of _REASONS, or in words), empty for none; and whether that is worth keeping."""
        try:
            self.start()
        except Fault as fault:
            log.warning("shaders are used without a trial: %s", fault)
            return "", False
        assert self._process is not None and self._wire is not None
        limit = LIMIT_S + PASS_S * (len(spec.passes) - 1)
        begun, spent = perf_counter(), _cpu_s(self._process.pid)
        answer: dict[str, Any] | None = None
        try:
            self._wire.sendall(json.dumps(str(spec.path)).encode() + b"\n")
            while True:
                try:
                    answer = self._answer(0.1)
                    break
                except TimeoutError:
                    took = perf_counter() - begun
                    # Where others keep the processor busy, the clock runs on while the trial does not.
                    if took > limit and (_cpu_s(self._process.pid) - spent > limit or took > LONGEST_S):
                        self.stop()
                        return "slow", True
        except OSError:
            answer = None
        if answer is None:
            self.stop()
            return "crash", True
        if answer.get("error"):
            return str(answer["error"]), False  # a slip of the pen: it will be mended, or found again fast
        return ("slow", True) if answer["took"] > limit or answer["drew"] > DRAW_S else ("", True)

    def _key(self, spec: ShaderSpec) -> str:
        digest = hashlib.sha256(self.renderer.encode())
        for text in (spec.vertex, spec.fragment, *spec.fragments, str(spec.passes)):
            digest.update(text.encode(errors="replace"))
        return digest.hexdigest()[:32]


def _read(cache: Path | None) -> dict[str, str]:
    try:
        found = json.loads(cache.read_text(encoding="utf-8")) if cache is not None else {}
    except (OSError, ValueError):
        return {}
    return {str(key): str(value) for key, value in found.items()} if isinstance(found, dict) else {}


def _write(cache: Path | None, verdicts: dict[str, str]) -> None:
    if cache is None:
        return
    kept = dict(list(verdicts.items())[-MOST_KEPT:])
    try:
        folders.write_text(cache, json.dumps(kept))
    except Fault as fault:
        log.info("results of shader trials are not saved: %s", fault)


def _cpu_s(pid: int) -> float:
    """Processor seconds that a process has used; infinite where that can't be known."""
    if sys.platform != "linux":
        return float("inf")
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return float("inf")
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _line(wire: socket.socket) -> bytes:
    """Bytes up to the next line feed, which each side sends whole; empty when the other is gone."""
    line = b""
    while not line.endswith(b"\n"):
        piece = wire.recv(65536)
        if not piece:
            return b""
        line += piece
    return line


def attend() -> None:
    """Body of the process: a path in, a verdict out, until the connection closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    from performer.gl.window.offscreen import Offscreen

    with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as wire:

        def say(what: dict[str, Any]) -> None:
            wire.sendall(json.dumps(what).encode() + b"\n")

        say({"token": os.environ["PERFORMER_PREFLIGHT"]})
        _line(wire)
        try:
            surface = Offscreen(SIZE)
        except Fault as fault:
            say({"error": str(fault)})
            return
        trial = _Trial(surface.ctx)
        say({})
        while line := _line(wire):
            say(trial.run(Path(json.loads(line))))


class _Trial:
    """Compiles a shader and draws it twice, small, with something plain for each of its images."""

    def __init__(self, ctx: Any) -> None:
        from performer.gl.render.compose import Compose
        from performer.gl.render.target_pool import Pool, Target

        self.ctx = ctx
        self.pool = Pool(ctx)
        self.compose = Compose(ctx)
        grey = Target(ctx, (SIZE[0] // 2, SIZE[1] // 2), "f1")  # of the kind that the show's own pictures are
        grey.fbo.clear(0.5, 0.5, 0.5, 1.0)
        self.grey = grey.texture

    def run(self, path: Path) -> dict[str, Any]:
        from performer.gl.render.node import Moment, Node
        from performer.gl.render.program import Program
        from performer.gl.render.texture import SoundTexture
        from performer.gl.render.wait import finish

        begun, spent = perf_counter(), os.times()
        try:
            spec = load(path)
            program = Program(self.ctx, spec)
            node = Node(self.ctx, self.pool, self.compose, program, "trial", self.grey)
            given = dict.fromkeys((*spec.images, *(name for name, _ in spec.imported)), self.grey)
            sounds = [SoundTexture(self.ctx, sound) for sound in spec.audio]
            given.update({sound.name: one.texture for sound, one in zip(spec.audio, sounds, strict=True)})
            for at in range(2):
                drawing, drawn = perf_counter(), os.times()
                target = node.draw(Moment(SIZE, at / 60.0, 1 / 60), {}, given)
                finish()
                if target is not None:
                    self.pool.give(target)
            for sound in sounds:
                sound.release()
            node.release()
            program.release()
        except Fault as fault:
            return {"error": str(fault)}
        except Exception as error:  # whatever the driver makes of it, the show is told and goes on
            return {"error": f"{path}: cannot be drawn: {str(error).splitlines()[0] if str(error) else error!r}"}
        return {"took": _least(begun, spent), "drew": _least(drawing, drawn)}


def _least(begun: float, spent: os.times_result) -> float:
    """Seconds since then by the clock or, where others kept the processor busy, by the processor time had."""
    now = os.times()
    cpu = now.user + now.system - spent.user - spent.system
    took = perf_counter() - begun
    return min(took, cpu) if sys.platform == "linux" else took
