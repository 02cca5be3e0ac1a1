"""`performer doctor` and `performer devices`: what is here, what is missing, and the command that mends it."""

from __future__ import annotations

import importlib.util
import os
import platform
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from performer.content.library import FACTORY
from performer.system import folders
from performer.system.errors import Fault, counted
from performer.system.extras import install_line
from performer.system.timeouts import TimedOut, within

LEAST_PYTHON = (3, 11)
LEAST_FREE_BYTES = 1 << 30
LOOK_S = 6.0  # a sound system that takes longer to say what it has does not answer
SILENT = "the sound system does not respond: systemctl --user restart pipewire pulseaudio"


@dataclass(frozen=True)
class Finding:
    """One part of the house: `note` says what is there, or what is missing; `mend`, what to type."""

    part: str
    ok: bool
    note: str
    mend: str = ""
    fatal: bool = False

    def line(self) -> str:
        state = "ok  " if self.ok else "FAIL" if self.fatal else "warn"
        return f"{state} {self.part:10} {self.note}" + (f"\n     mend: {self.mend}" if self.mend else "")


def examine() -> list[Finding]:
    """Every part in turn; nothing is opened for longer than the look takes."""
    examinations: tuple[tuple[str, Callable[[], list[Finding]]], ...] = (
        ("python", _python),
        ("sound", _sound),
        ("midi", _midi),
        ("drawing", _drawing),
        ("display", _display),
        ("delay", _delay),
        ("models", _models),
        ("content", _content),
        ("keeping", _keeping),
        ("disk", _disk),
    )
    findings = []
    for part, look in examinations:
        try:
            findings += look()
        except Fault as fault:
            findings.append(Finding(part, False, str(fault)))
    return findings


def devices() -> dict[str, Any]:
    """Sound devices, MIDI ports and monitors, as `performer devices --json` prints them."""
    from performer.io.devices import list_devices
    from performer.io.sound import portaudio

    try:
        found = within(LOOK_S, list_devices)
    except TimedOut:
        portaudio.detach()
        found = {"inputs": [], "outputs": [], "midi": [], "notes": [SILENT]}
    try:
        from performer.gl.window.window import monitors

        found["monitors"] = monitors()
    except (Fault, ImportError) as fault:
        found["monitors"] = []
        found.setdefault("notes", []).append(str(fault))
    return found


def device_lines(found: dict[str, Any]) -> list[str]:
    """The same for people."""
    lines = []
    for kind in ("inputs", "outputs"):
        lines.append(f"sound {kind}:")
        for device in found.get(kind, []):
            lines.append(
                f"  {device['index']:>3}  {device['name']}  ({device['api']}, {device['channels']} ch, "
                f"{device['rate']:.0f} Hz){'  default' if device.get('default') else ''}"
            )
        if not found.get(kind):
            lines.append("  none")
    for kind in ("midi", "monitors"):
        lines.append(f"{kind}:")
        lines += [f"  {i:>3}  {name}" for i, name in enumerate(found.get(kind, []))] or ["  none"]
    return lines + [f"note: {note}" for note in found.get("notes", [])]


def _python() -> list[Finding]:
    version = platform.python_version()
    ok = sys.version_info[:2] >= LEAST_PYTHON
    return [
        Finding(
            "python",
            ok,
            f"{version} on {platform.platform()}",
            "" if ok else "install Python 3.11 or newer",
            fatal=not ok,
        )
    ]


def _sound() -> list[Finding]:
    found = devices()
    if SILENT in found["notes"]:
        what, _, mend = SILENT.partition(": ")
        return [Finding("sound", False, what, mend)]
    try:
        import sounddevice  # noqa: F401
    except OSError:
        return [
            Finding(
                "sound",
                False,
                "PortAudio is missing; only files and the silent demo work",
                "sudo apt-get install -y libportaudio2",
            )
        ]
    inputs, outputs = found.get("inputs", []), found.get("outputs", [])
    return [
        Finding(
            "sound in",
            bool(inputs),
            counted(len(inputs), "input") if inputs else "no input: the demo plays instead",
            "" if inputs else "plug in a sound card, or start PulseAudio or PipeWire",
        ),
        Finding(
            "sound out",
            bool(outputs),
            counted(len(outputs), "output") if outputs else "none: files and demo are mute",
            "" if outputs else "plug in a sound card, or start PulseAudio or PipeWire",
        ),
    ]


def _midi() -> list[Finding]:
    found = devices()
    ports = found.get("midi", [])
    if ports:
        return [Finding("midi", True, ", ".join(ports))]
    return [
        Finding(
            "midi",
            False,
            "no port; controllers are noticed as soon as they are plugged in",
            "plug in a controller; on Linux `sudo modprobe snd-seq` when /dev/snd/seq is missing",
        )
    ]


def _drawing() -> list[Finding]:
    from performer.gl.render.driver import is_software
    from performer.gl.window.offscreen import Offscreen

    surface = Offscreen((64, 64))
    try:
        name = surface.ctx.info["GL_RENDERER"]
        soft = is_software(surface.ctx)
        return [
            Finding(
                "drawing",
                not soft,
                f"{name}, OpenGL {surface.ctx.version_code / 100:.1f}"
                + (": drawn by the CPU, honestly slower" if soft else ""),
                "install your graphics card's driver" if soft else "",
            )
        ]
    finally:
        surface.close()


def _display() -> list[Finding]:
    from performer.gl.window.window import monitors

    try:
        names = monitors()
    except Fault as fault:
        return [Finding("display", False, str(fault), "log in to a desktop, or use --headless or `performer render`")]
    return [Finding("display", True, ", ".join(names))]


def _delay() -> list[Finding]:
    from performer.rig.calibration import settings_file

    rows = settings_file.load()
    if rows:
        return [Finding("delay", True, "calibrated: " + "; ".join(row.note() for row in rows))]
    return [
        Finding(
            "delay",
            True,
            "inside the program it is measured; outside, nothing is known of screen and "
            "loudspeakers: `performer calibrate`",
        )
    ]


def _models() -> list[Finding]:
    from performer.generators.onnx import session
    from performer.rig.loading import load_library

    library = load_library()
    if not library.models:
        return [Finding("models", False, f"none in {FACTORY / 'models'}", "install performer again", fatal=True)]
    findings = []
    providers = set()
    for name, path in library.models.items():
        try:
            providers.add(session.create(path).provider)
        except Fault as fault:
            findings.append(Finding("models", False, str(fault), f"remove it, or train {name!r} again"))
    if providers:
        findings.append(
            Finding("models", True, f"{counted(len(library.models), 'model')} on {', '.join(sorted(providers))}")
        )
    return findings + _card(providers)


def _card(providers: set[str]) -> list[Finding]:
    """The parts of the way over a graphics card, where there is one."""
    import onnxruntime as ort

    from performer.generators.onnx import session

    findings = []
    if "OpenVINOExecutionProvider" in ort.get_available_providers():
        findings.append(Finding("openvino", True, "models run on it with --provider openvino"))
    if not session.driver():
        return findings + [Finding("card", True, "no NVIDIA driver: models run on the processor")]
    mend = install_line("cuda")
    if not any(provider.startswith("CUDA") for provider in providers):
        findings.append(Finding("cuda", False, "an NVIDIA driver is here, but models run on the CPU", mend))
    for part, module, without in (
        ("sharing", "cuda.core", "pictures go through the processor's memory"),
        ("half", "onnx", "models run in 32-bit floats only"),
    ):
        try:
            there = importlib.util.find_spec(module) is not None
        except ImportError:
            there = False
        findings.append(
            Finding(
                part, there, f"{module} is here" if there else f"{module} is missing: {without}", "" if there else mend
            )
        )
    return findings


def _content() -> list[Finding]:
    from performer.rig.loading import load_library

    library = load_library()
    findings = [
        Finding(
            "content",
            bool(library.presets),
            f"{counted(len(library.presets), 'preset')}, {counted(len(library.shaders), 'shader')}; "
            f"yours go to {folders.data()}",
            "" if library.presets else "install performer again",
            fatal=not library.presets,
        )
    ]
    return findings + [
        Finding("content", False, str(fault), f"mend or remove {path}") for path, fault in library.faults.items()
    ]


def _keeping() -> list[Finding]:
    """Whether kept places, presets and settings can be written."""
    from performer.rig.calibration.settings_file import calibration_path

    findings = []
    for folder, what in (
        (folders.data(), "snapshots and models"),
        (calibration_path().parent, "calibration and MIDI bindings"),
    ):
        there = next(one for one in (folder, *folder.parents) if one.exists())
        if not (there.is_dir() and os.access(there, os.W_OK | os.X_OK)):
            findings.append(
                Finding(
                    "keeping",
                    False,
                    f"{folder}: cannot be written, so {what} are lost at the end",
                    f"give yourself the right to write in {there}",
                )
            )
    return findings or [Finding("keeping", True, "snapshots, models and settings can be saved")]


def _disk() -> list[Finding]:
    free = shutil.disk_usage(".").free
    return [
        Finding(
            "disk",
            free > LEAST_FREE_BYTES,
            f"{free / 1e9:.1f} GB free here",
            "" if free > LEAST_FREE_BYTES else "make room before you record",
        )
    ]
