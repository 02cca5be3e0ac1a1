"""Calibrating on real parts: clicks through a sound server heard on its monitor, taps on a real window's keyboard."""

import io
import os
import re
import subprocess
import sys
import threading
import time

import pytest
from parts.display import press
from parts.patience import PATIENCE_S

from performer.cli.main import main
from performer.rig.calibration import settings_file
from performer.rig.calibration.estimate import Unclear
from performer.rig.calibration.session import Session, _ask, calibrate
from performer.rig.calibration.settings_file import Measured
from performer.rig.live.rig import Rig
from performer.rig.options import CalibrateOptions, PlayOptions
from performer.system import folders
from performer.system.errors import Fault
from performer.types.frame import ControlEvent

PULSES = 11


@pytest.fixture
def config(tmp_path, monkeypatch):
    """A settings folder of this test's own."""
    folder = tmp_path / "config"
    monkeypatch.setattr(folders, "config", lambda: folder)
    return folder


def row(what="screen", device="HDMI-1", output="ALSA: speakers", delay_ms=40.0, **more) -> Measured:
    return Measured(
        what=what,
        device=device,
        output=output,
        delay_ms=delay_ms,
        **{"spread_ms": 9.0, "error_ms": 3.0, "count": 48, "date": "2026-05-01", **more},
    )


def test_measurements_are_kept_by_device_and_replaced(config):
    assert settings_file.load() == []
    path = settings_file.keep(row())
    settings_file.keep(row(device="Projector", delay_ms=90.0))
    settings_file.keep(row(what="sound", device="ALSA: mic", delay_ms=12.5))
    settings_file.keep(row(delay_ms=44.0))
    assert path.parent == config
    assert [(r.device, r.delay_ms) for r in settings_file.load()] == [
        ("Projector", 90.0),
        ("ALSA: mic", 12.5),
        ("HDMI-1", 44.0),
    ]
    assert "performer calibrate" in path.read_text()


def test_taps_and_microphone_add_up_and_other_devices_do_not_count():
    rows = [
        row(),
        row(what="sound", device="ALSA: mic", delay_ms=12.0),
        row(what="sound", device="ALSA: mic", output="ALSA: other", delay_ms=500.0),
        row(device="Projector", delay_ms=-90.0),
    ]
    assert settings_file.outside(rows, "HDMI-1", "") == (0.04, [rows[0]])
    assert settings_file.outside(rows, "HDMI-1", "ALSA: mic")[0] == pytest.approx(0.052)
    assert settings_file.outside(rows, "Projector", "ALSA: line") == (-0.09, [rows[3]])
    assert settings_file.outside(rows, "VGA-1", "") == (0.0, [])


@pytest.mark.parametrize(
    "text",
    [
        "measured = 3",
        "[[measured]]\nwhat = 'screen'",
        "not toml [",
        "\x00",
        "[[measured]]\nwhat='smell'\ndevice='a'\noutput='b'\ndelay_ms=1\nspread_ms=1\nerror_ms=1\ncount=1\ndate='x'",
        "[[measured]]\nwhat='screen'\ndevice='a'\noutput='b'\ndelay_ms=nan\nspread_ms=1\nerror_ms=1\ncount=1\ndate='x'",
    ],
)
def test_a_broken_file_is_one_line_that_names_it(tmp_path, text):
    path = tmp_path / "calibration.toml"
    path.write_text(text)
    with pytest.raises(Fault, match=r"calibration\.toml: .*calibrate again"):
        settings_file.load(path)
    with pytest.raises(Fault):
        settings_file.keep(row(), path)
    assert path.read_text() == text, "what a person may mend is not overwritten"


def test_the_monitor_hears_the_clicks_and_the_result_is_saved(pulse, config, capsys):
    with pytest.raises(SystemExit) as stop:
        main(["calibrate", "--by", "microphone", "--pulses", str(PULSES)])
    assert stop.value.code == 0
    said = capsys.readouterr().out
    assert "clicks come" in said and "calibration.toml" in said
    (found,) = settings_file.load()
    assert found.what == "sound" and found.device == "ALSA: default" and found.count >= PULSES - 1
    assert found.spread_ms < 10.0 and abs(found.delay_ms) < 600.0


def test_what_cannot_be_heard_is_said_and_not_saved(pulse, config, monkeypatch):
    import subprocess

    subprocess.run(["pactl", "load-module", "module-null-sink", "sink_name=void"], check=True, capture_output=True)
    monkeypatch.setenv("PULSE_SOURCE", "void.monitor")
    monkeypatch.setattr("performer.rig.calibration.session.PERIOD_S", 0.3)
    with pytest.raises(Fault, match="the microphone heard 0 of 11 clicks"):
        calibrate(CalibrateOptions(by="microphone", pulses=11), lambda line: None)
    assert settings_file.load() == []


class Person(threading.Thread):
    """Taps so late after clicks, and so late after flashes: to begin on the space bar, then on a pad.

    A pad's events say when it was hit. When a key was pressed is when the window looks, which a busy machine does late.
    """

    def __init__(self, session: Session, clicks_s: float, flashes_s: float) -> None:
        super().__init__(daemon=True)
        self.session, self.late = session, {"clicks": clicks_s, "flashes": flashes_s}
        self.over = threading.Event()

    def run(self) -> None:
        session, tapped = self.session, 0.0
        while not self.over.is_set():
            time.sleep(0.002)
            if session.part == "waiting":
                time.sleep(0.3)
                press("space")
                time.sleep(0.3)
                tapped = 0.0
            elif session.part in self.late:
                marks = session.clicks if session.part == "clicks" else list(session.flashes)
                late = self.late[session.part]
                due = [at + late for at in marks if tapped < at + late - 0.3 and at + late <= session.now()]
                if due:
                    tapped = due[-1]
                    session._hands.events.put(ControlEvent(tapped, "midi.note36", 1.0))


def test_taps_tell_how_late_the_screen_is_and_play_uses_it(pulse, config, xvfb, monkeypatch):
    monkeypatch.setattr("performer.rig.calibration.session.PERIOD_S", 0.6)
    said: list[str] = []
    session = Session(CalibrateOptions(midi="off", size=(320, 180), pulses=13), said.append)
    person = Person(session, 0.03, 0.15)
    person.start()
    try:
        made = session.run()
    finally:
        person.over.set()
        person.join(PATIENCE_S)
        session.close()
    (screen,) = made
    assert screen.delay_ms == pytest.approx(120.0, abs=25.0)
    assert screen.device == "screen" and screen.output == "ALSA: default" and screen.count >= 12
    assert any("later than" in line for line in said)
    with Rig(PlayOptions(input="demo", midi="off", size=(160, 90), fps=30.0, preset="tidal")) as rig:
        assert rig.latency.outside_s == pytest.approx(screen.delay_ms / 1000.0)
        note = rig.notes()[-1]
        assert "as calibrated" in note and "screen" in note
        rig.loop.run(1.0)
        assert rig.latency.look_ahead_s > 0.1
    with Rig(PlayOptions(input="demo", midi="off", size=(160, 90), preset="tidal", output_delay_ms=7.0)) as rig:
        assert rig.latency.outside_s == 0.007 and "as given" in rig.notes()[-1]


def test_without_a_display_the_microphone_is_offered(pulse, config):
    # In a process of its own: once GLFW has found a display, it keeps it.
    without = {name: value for name, value in os.environ.items() if name not in ("DISPLAY", "WAYLAND_DISPLAY")}
    done = subprocess.run(
        [sys.executable, "-m", "performer", "calibrate", "--midi", "off"],
        env=without,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
    )
    assert done.returncode == 2 and re.search(r"no display: .*; use --by microphone$", done.stderr.strip())


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"by": "smell"}, "--by 'smell'"),
        ({"pulses": 5}, "--pulses 5"),
        ({"by": "microphone", "output": "no such"}, "no s(uch|ound output)"),
    ],
)
def test_bad_options_are_one_line(options, says):
    with pytest.raises(Fault, match=says):
        calibrate(CalibrateOptions(**options), print)


def bare(window, again=lambda why: False) -> tuple[Session, list[str]]:
    """A session of which only the retrying is looked at; nothing is opened."""
    session, shown = Session.__new__(Session), []
    session._window, session._again, session._await_tap = window, again, shown.append
    return session, shown


def test_a_part_that_was_not_clear_is_told_by_its_number_and_tried_again():
    tries = []

    def part():
        tries.append(1)
        if len(tries) < 3:
            raise Unclear("only 5 of 24 clicks were tapped to, and 12 are needed")
        return "measured"

    session, shown = bare(object())
    assert session._until_clear(part) == "measured" and len(tries) == 3
    assert shown == ["only 5 of 24 clicks were tapped to, and 12 are needed. Tap to try this again; esc esc quits"] * 2
    tries.clear()
    asked = []
    session, _ = bare(None, lambda why: not asked.append(why))
    assert session._until_clear(part) == "measured" and len(asked) == 2
    tries.clear()
    session, _ = bare(None)
    with pytest.raises(Unclear):
        session._until_clear(part)
    assert len(tries) == 1, "nobody is there to ask"


def test_leaving_is_no_reason_to_try_again():
    session, shown = bare(object())

    def leave():
        raise Fault("stopped; nothing was saved")

    with pytest.raises(Fault, match="stopped"):
        session._until_clear(leave)
    assert not shown


@pytest.mark.parametrize(("typed", "more"), [("\n", True), ("q\n", False), ("", False), (" N \n", False)])
def test_without_a_window_the_terminal_is_asked(typed, more, monkeypatch, capsys):
    monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
    assert _ask("the microphone heard 0 of 11 clicks") is more
    assert "0 of 11" in capsys.readouterr().out
