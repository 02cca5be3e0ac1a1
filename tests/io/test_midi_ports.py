"""MIDI ports on a real JACK server: messages, ports that come and go; and MIDI files."""

import logging
import time
from queue import Empty

import mido
import pytest
from parts.patience import PATIENCE_S, until

from performer.io.midi import ports as midi
from performer.io.midi import system
from performer.system.errors import Fault


def take(ports: midi.MidiPorts, timeout: float = PATIENCE_S):
    return ports.events.get(timeout=timeout)


def drain(ports: midi.MidiPorts):
    while True:
        try:
            ports.events.get_nowait()
        except Empty:
            return


def look_until(ports: midi.MidiPorts, true) -> bool:
    """Look as the devices' thread does until true()."""

    def looked() -> bool:
        ports.poll(time.perf_counter())
        return true()

    return until(looked, 0.1)


@pytest.fixture
def stick(jack):
    port = jack.virtual_output("stick")
    yield port
    port.close_port()
    port.delete()


@pytest.mark.parametrize("api", ["jack", ""])
def test_messages_arrive_in_order_and_in_time(stick, api):
    if api == "" and midi.Path("/dev/snd/seq").exists():
        pytest.skip("ALSA comes first where it is")
    ports = midi.create("all", api, time.perf_counter)
    try:
        assert "stick" in ports.note
        sent = time.perf_counter()
        for message in ([0xB0, 74, 127], [0x93, 60, 64], [0xC0, 3], [0xFA], [0xF8], [0xE0, 0, 64]):
            stick.send_message(message)
            time.sleep(0.02)
        events = [take(ports) for _ in range(7)]
        assert [e.address for e in events] == [
            "midi.cc74",
            "midi.note60",
            "midi.program",
            "show.preset",
            "midi.start",
            "midi.clock",
            "midi.bend",
        ]
        assert events[1].text == "ch4" and events[3].value == 3.0
        assert all(sent <= e.t <= time.perf_counter() for e in events)
        assert [e.t for e in events] == sorted(e.t for e in events)
    finally:
        ports.close()


def test_a_port_is_noticed_within_two_seconds_and_taken_back_when_it_returns(jack):
    ports = midi.create("STI", "jack", time.perf_counter)
    other = jack.virtual_output("other")
    assert midi.LOOK_S < 2.0
    try:
        assert "no port yet" in ports.note and "'sti'" in ports.note
        for _ in range(2):
            port = jack.virtual_output("stick")
            assert look_until(ports, lambda: "stick" in ports.note)
            drain(ports)
            assert until(lambda port=port: port.send_message([0xB0, 1, 127]) or not ports.events.empty(), 0.1)
            assert take(ports).address == "midi.cc1"
            port.close_port()
            port.delete()
            assert look_until(ports, lambda: "no port yet" in ports.note)
        assert "other" not in ports.note
    finally:
        ports.close()
        other.close_port()
        other.delete()


def test_malformed_bytes_leave_one_line_and_the_port_open(stick, caplog):
    ports = midi.create("stick", "jack", time.perf_counter)
    try:
        with caplog.at_level(logging.WARNING):
            for _ in range(5):
                stick.send_message([0xB0, 200, 7])
                stick.send_message([0xF4, 1, 2])
                time.sleep(0.02)
            stick.send_message([0xB0, 2, 0])
            while take(ports).address != "midi.cc2":
                pass
        assert sum("malformed" in record.getMessage() for record in caplog.records) <= 1
    finally:
        ports.close()


def test_off_and_unknown_apis():
    ports = midi.create("off", "", time.perf_counter)
    assert ports.note == "off"
    ports.poll(10.0)
    ports.close()
    with pytest.raises(Fault, match=r"--midi-api 'jax'.*alsa or jack"):
        midi.create("all", "jax", time.perf_counter)


def test_without_a_midi_system_the_show_goes_on(monkeypatch, tmp_path):
    import rtmidi

    def broken(*_):
        raise rtmidi.SystemError("no sequencer")

    monkeypatch.setattr(rtmidi, "MidiIn", broken)
    ports = midi.create("all", "alsa", time.perf_counter)
    ports.poll(5.0)
    assert "no MIDI system" in ports.note
    ports.close()
    with pytest.raises(Fault, match="no MIDI system"):
        midi.ports("alsa")


def test_a_midi_file_gives_its_events_with_tempo_changes_in_seconds(tmp_path):
    track = mido.MidiTrack(
        [
            mido.MetaMessage("set_tempo", tempo=mido.bpm2tempo(120)),
            mido.Message("note_on", note=60, velocity=127),
            mido.Message("note_off", note=60, time=480),
            mido.MetaMessage("set_tempo", tempo=mido.bpm2tempo(60)),
            mido.Message("control_change", control=74, value=127, time=480),
        ]
    )
    song = mido.MidiFile(ticks_per_beat=480)
    song.tracks.append(track)
    path = tmp_path / "song.mid"
    song.save(path)
    events = midi.events(str(path))
    assert [(e.address, e.value) for e in events] == [("midi.note60", 1.0), ("midi.note60", 0.0), ("midi.cc74", 1.0)]
    assert [e.t for e in events] == pytest.approx([0.0, 0.5, 1.5])


def test_bad_midi_files_are_faults(tmp_path):
    (tmp_path / "text.mid").write_text("la la la")
    (tmp_path / "short.mid").write_bytes(b"MThd\0\0\0\6\0\1\0")
    for name in ("text.mid", "short.mid", "missing.mid"):
        with pytest.raises(Fault, match=name):
            midi.events(str(tmp_path / name))


class Sequencer:
    """Stands in for ALSA's, which needs a kernel device: numbered names, and ports that carry what is sent to them."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.taken: dict[str, list] = {}  # name -> callbacks

    def send(self, name: str, *message: int) -> None:
        for callback in self.taken.get(name, []):
            callback((list(message), 0.0), None)

    def client(self, _api, _name):
        sequencer = self

        class Client:
            def get_ports(self):
                return list(sequencer.names)

            def ignore_types(self, **_):
                pass

            def set_callback(self, callback):
                self.callback = callback

            def open_port(self, index, _name):
                self.name = sequencer.names[index]
                sequencer.taken.setdefault(self.name, []).append(self.callback)

            def cancel_callback(self):
                sequencer.taken[self.name].remove(self.callback)

            def close_port(self):
                pass

            delete = close_port

        return Client()


@pytest.fixture
def alsa(monkeypatch, tmp_path):
    sequencer = Sequencer()
    sequencer.folder = tmp_path / "snd"
    sequencer.folder.mkdir()
    monkeypatch.setattr(system, "SEQUENCER", sequencer.folder / "seq")
    monkeypatch.setattr(system, "client_in", sequencer.client)
    return sequencer


def heard(ports: midi.MidiPorts) -> list[tuple[str, float]]:
    found = []
    while not ports.events.empty():
        event = ports.events.get()
        found.append((event.address, round(event.value, 2)))
    return found


def test_two_controllers_of_one_kind_are_both_heard_and_each_may_go(alsa, caplog):
    caplog.set_level(logging.INFO)
    one, two = "nano:nano MIDI 1 20:0", "nano:nano MIDI 1 24:0"
    alsa.names = [one, two]
    ports = midi.create("nano", "", time.perf_counter)
    alsa.send(one, 0xB0, 1, 127)
    alsa.send(two, 0xB0, 2, 127)
    assert heard(ports) == [("midi.cc1", 1.0), ("midi.cc2", 1.0)]
    assert ports.note == "nano:nano MIDI 1, nano:nano MIDI 1"
    alsa.names = [two]
    ports.poll(10.0)
    alsa.send(two, 0xB0, 2, 0)
    assert heard(ports) == [("button.lost", 0.0), ("midi.cc2", 0.0)] and ports.note == "nano:nano MIDI 1"
    assert not any("gone" in record.getMessage() for record in caplog.records), "one is still there"
    alsa.names = []
    ports.poll(20.0)
    assert sum("gone" in record.getMessage() for record in caplog.records) == 1
    ports.close()


def test_keys_that_were_down_when_the_port_went_are_let_go(alsa):
    alsa.names = ["keys:keys 20:0"]
    ports = midi.create("all", "", time.perf_counter)
    for note, velocity in ((60, 127), (64, 127), (60, 0), (67, 127)):
        alsa.send("keys:keys 20:0", 0x90, note, velocity)
    heard(ports)
    alsa.names = []
    ports.poll(10.0)
    assert heard(ports) == [("midi.note64", 0.0), ("midi.note67", 0.0)]
    ports.close()


def test_a_cable_that_was_out_for_a_moment_is_opened_anew(alsa, caplog):
    caplog.set_level(logging.INFO)
    alsa.names = ["nano:nano 20:0"]
    ports = midi.create("all", "", time.perf_counter)
    alsa.taken.clear()  # out, and in again under the same name: the old port hears nothing
    (alsa.folder / "midiC1D0").touch()
    alsa.taken["nano:nano 20:0"] = [next(iter(ports._open.values()))[0].callback]
    before = alsa.taken["nano:nano 20:0"][0]
    ports.poll(10.0)
    assert alsa.taken["nano:nano 20:0"] and before not in alsa.taken["nano:nano 20:0"]
    alsa.send("nano:nano 20:0", 0xB0, 1, 127)
    assert heard(ports) == [("midi.cc1", 1.0)]
    assert sum("MIDI port" in record.getMessage() for record in caplog.records) == 1, "that is no news"
    ports.close()
