"""The control page: a real server, real web sockets, the show's own queue; and a browser, where there is one."""

import asyncio
import base64
import http.client
import io
import json
import os
import shutil
import socket
import threading
import time
from contextlib import ExitStack
from dataclasses import replace
from queue import SimpleQueue

import numpy as np
import psutil
import pytest
from parts.live import headless, play_until
from parts.patience import PATIENCE_S, until
from parts.scenes import TEXT, make
from parts.shows import loud, run
from PIL import Image

from performer.cli.play import with_port
from performer.content import banks
from performer.content.library import FACTORY, Library
from performer.content.settings import page_token as word
from performer.generators.onnx.session import create
from performer.generators.tools.thumbnail import ThumbnailPainter
from performer.io.page import client_session as visitor
from performer.io.page import protocol, server
from performer.io.page.protocol import BadMessage
from performer.io.page.server import Page
from performer.io.page.state_publisher import StatePublisher
from performer.io.page.thumbnails import LivePicture, Thumbnails, jpeg, key_of
from performer.latent.bank import Bank
from performer.rig.live.rig import Rig
from performer.show.bank_edits import changed
from performer.show.show import Show
from performer.system.errors import Fault
from performer.system.mailboxes import Latest
from performer.types.features import Features, Sound
from performer.types.frame import ControlEvent

pytest.importorskip("starlette")
pytest.importorskip("uvicorn")
websockets = pytest.importorskip("websockets")
from websockets.sync.client import connect  # noqa: E402

D = 32


def place(seed: int) -> bytes:
    v = np.random.default_rng(seed).standard_normal(D).astype(np.float32)
    return (v * np.sqrt(D) / np.linalg.norm(v)).astype(np.float32).tobytes()


def show(places: int = 2) -> tuple[Show, Bank]:
    bank = Bank("marble", D)
    for seed in range(places):
        bank.keep(place(seed))
    return Show([make(), make(TEXT.replace("First", "Second"), "second")], "first", banks={"marble": bank}), bank


class Stand:
    """A page on a port of its own, before a show that steps on a thread as the stage does."""

    def __init__(self, host: str = "127.0.0.1", places: int = 2, stamp=lambda model: 0.0) -> None:
        self.show, self.bank = show(places)
        self.events: SimpleQueue[ControlEvent] = SimpleQueue()
        self.seen: list[ControlEvent] = []
        self.notices: list[tuple[str, str]] = []
        self.begun = time.monotonic()
        self.stop = threading.Event()
        thumbnails = Thumbnails(lambda model, latent: np.full((3, 40, 60), 0.5, np.float32), stamp=stamp)
        self.thumbnails = thumbnails
        self.page = Page(
            host,
            0,
            events=self.events,
            now=lambda: time.monotonic() - self.begun,
            board=StatePublisher(),
            thumbnails=thumbnails,
        )
        self.threads = [
            threading.Thread(target=body, daemon=True)
            for body in (lambda: self.page.run(self.stop), lambda: thumbnails.run(self.stop), self.play)
        ]

    def play(self) -> None:
        t, rng = 0.0, np.random.default_rng(1)
        while not self.stop.wait(0.01):
            events = []
            while not self.events.empty():
                events.append(self.events.get())
                changed(self.show.recaller.banks, events[-1])
            self.seen += events
            t += 0.02
            frame = self.show.step(t, 0.02, (64, 36), loud(t), Sound(), events)
            self.page.board.look(self.show, frame, t, self.notices)
            if self.page.board.wants_picture(t):
                self.page.board.pictures.post(rng.integers(0, 255, (36, 64, 3), np.uint8))

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *error):
        self.stop.set()
        for thread in self.threads:
            thread.join(PATIENCE_S)
            assert not thread.is_alive()
        self.page.close()

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.page.port}"

    def socket(self, **more):
        return connect(
            f"ws://127.0.0.1:{self.page.port}/{self.page.token}/socket",
            **{"origin": self.origin, "max_size": None, "proxy": None, **more},
        )

    def get(self, path: str, **headers: str) -> http.client.HTTPResponse:
        wire = http.client.HTTPConnection("127.0.0.1", self.page.port, timeout=PATIENCE_S)
        wire.request("GET", path, headers=headers)
        return wire.getresponse()

    def waited(self, address: str, timeout: float = PATIENCE_S) -> ControlEvent:
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            for event in self.seen:
                if event.address == address:
                    return event
            time.sleep(0.01)
        raise AssertionError(f"no {address} in {[event.address for event in self.seen]}")


@pytest.fixture
def stand():
    with Stand() as it:
        yield it


def told(wire, wanted, timeout: float = PATIENCE_S) -> dict:
    """Everything the socket told, merged, until wanted(state); pictures are counted."""
    state: dict = {"pictures": 0, "ready": [], "values": {}}
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        try:
            message = wire.recv(timeout=0.5)
        except TimeoutError:
            continue
        if isinstance(message, bytes):
            assert message[:2] == b"\xff\xd8"
            state["pictures"] += 1
            wire.send('{"do": "seen"}')
        else:
            for part, value in json.loads(message).items():
                if part == "ready":
                    state["ready"] += value
                elif part == "values":
                    state["values"].update(value)
                else:
                    state[part] = value
        if wanted(state):
            return state
    raise AssertionError(f"never told: {str(state)[:800]}")


def send(wire, do: str, **more) -> None:
    wire.send(json.dumps({"do": do, **more}))


# -- what is shown, and what is asked


def test_the_page_tells_scene_bank_and_picture_and_passes_gestures_on(stand):
    with stand.socket() as wire:
        state = told(
            wire, lambda s: {"presets", "scene", "bank", "now"} <= set(s) and len(s["ready"]) == 2 and s["pictures"] > 2
        )
        assert [p["title"] for p in state["presets"]] == ["First", "Second"]
        assert [p["name"] for p in state["bank"]["places"]] == ["place 1", "place 2"]
        knobs = {knob["address"]: knob for knob in state["scene"]["knobs"]}
        assert knobs["main.echo.zoom"]["base"] == 1.02 and knobs["main.echo.zoom"]["from"] == ["audio.bass"]
        assert knobs["main.echo.hit"]["kind"] == "event" and knobs["main.echo.tint"]["base"][1] == 0.5
        assert state["now"]["preset"] == "first" and set(state["values"]) == set(knobs)
        send(wire, "tap")
        send(wire, "preset", name="second")
        send(wire, "knob", address="main.walk.speed", value=1.25)
        send(wire, "recall", name="place 2")
        assert stand.waited("show.preset").text == "second" and stand.waited("show.tap").t > 0.0
        assert stand.waited("knob.main.walk.speed").value == 1.25 and stand.waited("bank.recall").text == "place 2"
        told(wire, lambda s: s.get("now", {}).get("preset") == "second")
    picture = stand.get(f"/{stand.page.token}/thumbnail/{key_of('marble', place(0))}")
    assert picture.status == 200 and Image.open(picture).size == (160, 160)


def test_the_page_tells_notices_and_when_they_are_over(stand):
    with stand.socket() as wire:
        assert told(wire, lambda s: "notices" in s)["notices"] == []
        stand.notices = [("error", "MIDI port gone: <b>nano</b>"), ("info", "kept place 3")]
        wanted = [{"level": "error", "text": "MIDI port gone: <b>nano</b>"}, {"level": "info", "text": "kept place 3"}]
        told(wire, lambda s: s.get("notices") == wanted)
        stand.notices = []
        told(wire, lambda s: s.get("notices") == [])


def test_offspring_are_bred_painted_glided_to_and_kept(stand):
    with stand.socket() as wire:
        told(wire, lambda s: "bank" in s)
        send(wire, "breed", parents=["place 1"], spread=0.2)
        state = told(wire, lambda s: len(s.get("brood", ())) == 12 and len(s["ready"]) >= 12)
        assert not any(one["kept"] for one in state["brood"])
        third = state["brood"][2]["number"]
        send(wire, "glide", number=third)
        event = stand.waited("bank.glide")
        a, b = (np.frombuffer(v, np.float32) for v in (event.latent, place(0)))
        assert event.words == ("marble",) and a @ b / np.linalg.norm(a) / np.linalg.norm(b) > 0.9
        told(wire, lambda s: s.get("now", {}).get("held") == f"offspring {third}")
        send(wire, "keep_offspring", number=third, name="ember", tags=["red"])
        state = told(wire, lambda s: len(s.get("bank", {}).get("places", ())) == 3 and "brood" in s)
        assert state["bank"]["places"][2]["name"] == "ember" and state["bank"]["places"][2]["tags"] == ["red"]
        assert [one["kept"] for one in state["brood"]].index(True) == 2
        send(wire, "rename", old="ember", name="glow", tags=["red", "late"])
        send(wire, "drop", name="place 1")
        state = told(wire, lambda s: [p["name"] for p in s.get("bank", {}).get("places", ())] == ["place 2", "glow"])
        assert state["bank"]["places"][1]["tags"] == ["red", "late"]
    assert stand.bank.places[1].latent == event.latent


def test_all_visitors_see_the_same_offspring_and_nobody_looks_costs_nothing(stand):
    board = stand.page.board
    assert not board.watched and board.glances.count == 0 and board.pictures.count == 0
    with stand.socket() as one, stand.socket() as two:
        told(one, lambda s: "bank" in s)
        send(one, "breed")
        assert len(told(two, lambda s: s.get("brood"))["brood"]) == 12
    assert until(lambda: not board.watched)
    count = board.glances.count
    time.sleep(0.3)
    assert not board.watched and board.glances.count <= count + 1


def test_pictures_wait_until_the_one_before_was_seen(stand):
    with stand.socket() as wire:
        pictures, deadline = 0, time.monotonic() + 1.5
        while time.monotonic() < deadline:
            try:
                pictures += isinstance(wire.recv(timeout=0.2), bytes)
            except TimeoutError:
                continue
        assert pictures == 1 and stand.page.board.pictures.count > 3


def test_a_picture_is_encoded_once_for_all_who_look(monkeypatch):
    pictures = Latest()
    live, rng = LivePicture(pictures, 32), np.random.default_rng(1)
    assert live.newer(0) is None
    for _ in range(3):
        pictures.post(rng.integers(0, 255, (36, 64, 3), np.uint8))
    first = live.newer(0)
    assert first[0] == 3 and Image.open(io.BytesIO(first[1])).size == (32, 18)
    assert all(live.newer(seen) is first for seen in (0, 1, 2)) and live.encoded == 1  # one bytes object, not copies
    assert live.newer(3) is None
    pictures.post(rng.integers(0, 255, (36, 64, 3), np.uint8))
    assert live.newer(3)[0] == 4 and live.newer(0)[0] == 4 and live.encoded == 2


def test_a_model_that_was_replaced_gets_new_small_pictures():
    stamp = [1.0]
    with Stand(stamp=lambda model: stamp[0]) as stand, stand.socket() as wire:
        first = {row["key"] for row in told(wire, lambda all: "bank" in all)["bank"]["places"]}
        told(wire, lambda all: first <= set(all.get("ready", ())))
        painted = stand.thumbnails.painted
        stamp[0] = 2.0
        again = told(wire, lambda all: "bank" in all and not first & {row["key"] for row in all["bank"]["places"]})
        second = {row["key"] for row in again["bank"]["places"]}
        if not second <= set(again.get("ready", ())):
            told(wire, lambda all: second <= set(all.get("ready", ())))
        assert len(second) == len(first) and stand.thumbnails.painted == painted + len(second)


def test_a_portrait_is_of_the_model_as_its_file_is_now(tmp_path):
    def put(name, stamp):
        for ending in (".onnx", ".toml", ".mapping.onnx"):
            shutil.copy(FACTORY / "models" / f"{name}{ending}", tmp_path / f"m{ending}")
        os.utime(tmp_path / "m.onnx", (stamp, stamp))

    portrait = ThumbnailPainter(
        lambda name: create(tmp_path / f"{name}.onnx", "cpu", 1),
        Library(audio=(), models={"m": tmp_path / "m.onnx"}).changed,
    )
    latent = np.ones(64, np.float32).tobytes()
    put("molten", 1000.0)
    first, again = portrait("m", latent).copy(), portrait("m", latent).copy()
    put("glass", 2000.0)
    other = portrait("m", latent)
    assert np.array_equal(first, again) and first.shape == other.shape and np.abs(first - other).mean() > 0.05


# -- what must not get in


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example:PORT"},
        {"Host": "127.0.0.1:1"},
        {"Host": "192.168.1.5:PORT"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
    ],
)
def test_strange_hosts_and_origins_are_sent_away(stand, headers):
    headers = {key: value.replace("PORT", str(stand.page.port)) for key, value in headers.items()}
    answer = stand.get(f"/{stand.page.token}/", **headers)
    assert answer.status == 404 and stand.page.token.encode() not in answer.read()


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/wrong/",
        "/wrong/socket",
        "/page.js",
        "/TOKEN",
        "/TOKEN/../app.py",
        "/TOKEN/board.py",
        "/TOKEN/%2e%2e/server.py",
        "/TOKEN/thumbnail/../../x",
    ],
)
def test_without_the_word_and_beside_the_files_there_is_nothing(stand, path):
    assert stand.get(path.replace("TOKEN", stand.page.token)).status == 404


def test_the_files_are_there_and_may_load_nothing_from_elsewhere(stand):
    for name, kind in (
        ("", "text/html"),
        ("page.js", "text/javascript"),
        ("parts.js", "text/javascript"),
        ("page.css", "text/css"),
        ("icon.svg", "image/svg+xml"),
    ):
        answer = stand.get(f"/{stand.page.token}/{name}")
        assert answer.status == 200 and answer.headers["content-type"].startswith(kind)
        headers = answer.headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert (headers["referrer-policy"], headers["x-content-type-options"]) == ("no-referrer", "nosniff")
        assert b"http://" not in answer.read().replace(b"http://www.w3.org/2000/svg", b"")


@pytest.mark.parametrize("more", [{"origin": "http://evil.example"}, {"origin": None}, {"origin": "https://127.0.0.1"}])
def test_web_sockets_of_other_pages_are_refused(stand, more):
    with pytest.raises(websockets.exceptions.InvalidStatus), stand.socket(**more):
        pass
    with (
        pytest.raises(websockets.exceptions.InvalidStatus),
        connect(
            f"ws://127.0.0.1:{stand.page.port}/{'x' * len(stand.page.token)}/socket", origin=stand.origin, proxy=None
        ),
    ):
        pass
    assert stand.seen == []


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "3",
        '{"do": 3}',
        '{"do": "no such"}',
        '{"do": "preset"}',
        '{"do": "preset", "name": 3}',
        '{"do": "preset", "name": "' + "x" * 61 + '"}',
        '{"do": "knob", "address": "main.walk.speed"}',
        '{"do": "knob", "address": "main.walk.speed", "value": "1"}',
        '{"do": "knob", "address": "a", "value": NaN}',
        '{"do": "knob", "address": "a", "value": 1e999}',
        '{"do": "knob", "address": "a", "value": [1, 2, 3, 4, 5]}',
        '{"do": "knob", "address": "a", "value": []}',
        '{"do": "glide", "number": 77}',
        '{"do": "glide", "number": NaN}',
        '{"do": "glide", "number": 1e999}',
        '{"do": "breed", "parents": 3}',
        '{"do": "breed", "spread": 9}',
        '{"do": "quantise", "name": "never"}',
        '{"do": "rename", "name": "a"}',
        '{"do": "rename", "old": "a", "name": ""}',
        '{"do": "keep", "name": "a\\u0000b"}',
        '{"do": "rename", "old": "place 1", "name": "b", "tags": ["' + "x" * 25 + '"]}',
        "[" * 5000,
        '{"do": "tap", "x": "' + "y" * 17000 + '"}',
    ],
)
def test_what_is_no_message_does_nothing_and_is_said_once(stand, text, caplog):
    with stand.socket() as wire:
        told(wire, lambda s: "bank" in s)
        for _ in range(3):
            wire.send(text)
        wire.send(b"\x00\x01")
        send(wire, "jump")
        stand.waited("show.jump")
    assert [event.address for event in stand.seen] == ["show.jump"]
    lines = [record.getMessage() for record in caplog.records if "invalid message" in record.getMessage()]
    assert 1 <= len(lines) <= 3


def test_floods_and_crowds_are_cut_off(stand):
    with stand.socket() as wire:
        with pytest.raises(websockets.exceptions.ConnectionClosed):
            for _ in range(5000):
                send(wire, "next")
            while True:
                wire.recv(timeout=PATIENCE_S)
        assert len([e for e in stand.seen if e.address == "show.next"]) <= 500
    with ExitStack() as crowd:
        for _ in range(8):
            told(crowd.enter_context(stand.socket()), lambda s: "bank" in s)
        with pytest.raises(websockets.exceptions.InvalidStatus), stand.socket():
            pass


def alone(monkeypatch, module, name: str, seconds: float = 0.5) -> None:
    """Of what frees places, only this one is quick."""
    for where, what in ((server, "BEAT_S"), (server, "STALLED_S"), (visitor, "SILENT_S")):
        monkeypatch.setattr(where, what, seconds if (where, what) == (module, name) else 1000.0)


@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="Linux has it")
def test_a_browser_that_takes_nothing_any_more_keeps_no_place(monkeypatch):
    alone(monkeypatch, server, "STALLED_S")
    monkeypatch.setattr(visitor, "PATIENCE_S", 0.05)
    stand = Stand()
    stand.page._socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    with stand, socket.socket() as wire:
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        wire.connect(("127.0.0.1", stand.page.port))
        wire.sendall(
            (
                f"GET /{stand.page.token}/socket HTTP/1.1\r\nHost: 127.0.0.1:{stand.page.port}\r\n"
                f"Origin: {stand.origin}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {base64.b64encode(bytes(16)).decode()}\r\n"
                "\r\n"
            ).encode()
        )
        assert until(lambda: stand.page.board.watched)
        assert until(lambda: not stand.page.board.watched and not stand.page._visitors)


def test_a_browser_that_stops_reading_keeps_no_place_though_its_machine_takes_all(monkeypatch):
    alone(monkeypatch, server, "BEAT_S")
    with Stand() as stand, stand.socket(max_queue=4, ping_interval=None, close_timeout=0.1) as wire:  # reads four
        assert wire.recv(timeout=PATIENCE_S)
        assert until(lambda: stand.page.board.watched)
        assert until(lambda: not stand.page.board.watched and not stand.page._visitors)


def test_a_tab_that_sleeps_keeps_no_place_though_its_browser_answers_pings(monkeypatch):
    alone(monkeypatch, visitor, "SILENT_S", 3.0)
    with Stand() as stand, stand.socket() as asleep, stand.socket() as awake:
        begun = time.monotonic()
        told(awake, lambda _: time.monotonic() - begun > 3.5)
        with pytest.raises(websockets.exceptions.ConnectionClosed):
            while True:  # reads, and says nothing
                asleep.recv(timeout=PATIENCE_S)
        assert until(lambda: len(stand.page._visitors) == 1)
        send(awake, "tap")
        assert stand.waited("show.tap")


def test_who_takes_slowly_is_not_cut_off_and_who_takes_nothing_is():
    class Wire:
        def __init__(self, sizes):
            self.sizes, self.aborted = iter(sizes), 0

        def get_write_buffer_size(self):
            return next(self.sizes)

        def abort(self):
            self.aborted += 1

    slow, quick, never = Wire(9000 - 10 * i for i in range(30)), Wire([0] * 30), Wire([500] * 30)
    stalled = server.Stalled()
    for second in range(30):
        stalled.cut([slow, None, quick, never] if second <= server.STALLED_S + 1 else [slow, quick], float(second))
    assert (slow.aborted, quick.aborted, never.aborted) == (0, 0, 1)


def test_a_port_that_is_taken_is_one_line_and_other_hosts_are_asked_for():
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(Fault, match=r"--page \d+: cannot listen"):
        Page(
            "127.0.0.1",
            taken.getsockname()[1],
            events=SimpleQueue(),
            now=lambda: 0.0,
            board=StatePublisher(),
            thumbnails=Thumbnails(lambda m, z: None),
        )
    own = Page(
        "127.0.0.1",
        0,
        events=SimpleQueue(),
        now=lambda: 0.0,
        board=StatePublisher(),
        thumbnails=Thumbnails(lambda m, z: None),
    )
    wide = Page(
        "0.0.0.0",
        0,
        events=SimpleQueue(),
        now=lambda: 0.0,
        board=StatePublisher(),
        thumbnails=Thumbnails(lambda m, z: None),
    )
    try:
        assert len(own.notes()) == 1 and own.notes()[0].startswith("page: http://127.0.0.1:") and not own.open_to_all
        assert wide.open_to_all and "ATTENTION" in wide.notes()[1] and own.token != wide.token
        assert len(base64.urlsafe_b64decode(own.token + "==")) == 16
        assert wide._allowed(f"192.168.1.5:{wide.port}") and not wide._allowed(f"evil.example:{wide.port}")
        assert own._allowed(f"localhost:{own.port}") and own._allowed(f"[::1]:{own.port}")
        own.port = 80  # which browsers leave out
        assert all(map(own._allowed, ("localhost", "127.0.0.1:80", "[::1]"))) and not own._allowed("evil.example")
    finally:
        own.close()
        wide.close()
    assert with_port(["play", "--page"]) == ["play", "--page", "8765"]
    assert with_port(["play", "--page", "--hud"])[1:4] == ["--page", "8765", "--hud"]
    assert with_port(["play", "--page", "99"])[2] == "99" and with_port(["play"]) == ["play"]


def test_without_the_extra_it_says_how_to_get_it(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "uvicorn", None)
    with pytest.raises(Fault, match=r"extra `page` .*install.*page"):
        Page(
            "127.0.0.1",
            0,
            events=SimpleQueue(),
            now=lambda: 0.0,
            board=StatePublisher(),
            thumbnails=Thumbnails(lambda m, z: None),
        )


# -- knobs, banks: what the events do


def test_a_hand_turns_knobs_and_routes_move_them_about_the_new_place():
    it = Show([make()], "first")
    base = run(it, 0.1, features=lambda t: Features(t=t))[-1].scene.params
    turns = [
        ControlEvent(0.2, "knob.main.walk.speed", 1.25),
        ControlEvent(0.2, "knob.main.echo.tint", 0.0, "0.1,0.2,0.3,1"),
        ControlEvent(0.2, "knob.main.echo.zoom", 1.52),
        ControlEvent(0.2, "knob.main.echo.hit"),
        ControlEvent(0.2, "knob.no.such.knob", 3.0),
        ControlEvent(0.2, "knob.main.echo.tint", 0.0, "1,2"),
        ControlEvent(0.2, "knob.main.walk.speed", float("nan")),
        ControlEvent(0.2, "knob.main.walk.kick", 1e9),
    ]
    frames = run(it, 1.0, start=0.1, features=lambda t: Features(t=t, values={"bass": 0.0}), events=turns)
    params = frames[-1].scene.params
    assert params["main.walk.speed"] == 1.25 and params["main.walk.kick"] == 16.0
    assert params["main.echo.tint"] == pytest.approx((0.1, 0.2, 0.3, 1.0))
    assert params["main.echo.hit"] == base["main.echo.hit"] + 1
    assert params["main.echo.zoom"] == pytest.approx(1.0 + 0.5, abs=1e-6)  # the route's 1.0, half more by hand
    loudly = run(it, 1.0, start=1.1, features=lambda t: Features(t=t, values={"bass": 1.0}))[-1].scene.params
    assert loudly["main.echo.zoom"] == pytest.approx(1.2 + 0.5, abs=0.01)
    assert it.status.by_hand["main.walk.speed"] == 1.25
    edited = make(TEXT.replace("zoom = 1.02", "zoom = 1.1"))
    it.replace([edited])
    assert (
        "main.echo.zoom" not in it.status.by_hand and it.status.by_hand["main.walk.speed"] == 1.25
    )  # what the file changed wins
    it.change(replace(make(), name="again"), 2.2)
    assert it.status.by_hand == {}


def test_glides_of_another_model_or_of_nonsense_do_nothing():
    it, bank = show()
    bad = [
        ControlEvent(0.1, "bank.glide", 1.0, "x", latent, words)
        for latent, words in (
            (place(5), ("nebula",)),
            (place(5)[:-4], ("marble",)),
            (b"abc", ("marble",)),
            (b"", ("marble",)),
            (np.full(D, np.nan, np.float32).tobytes(), ("marble",)),
            (place(5), ()),
        )
    ]
    for event in bad:
        assert run(it, 0.2, events=[event])[-1].scene.walks["main"].stops == ()
    assert run(it, 0.2, events=[replace(bad[0], words=("marble",))])[-1].scene.walks["main"].stops[0][0] == place(5)
    assert changed({"marble": bank}, ControlEvent(0.0, "bank.keep", 1.0, "a", b"abc", ("marble",)))[0] is None
    assert changed({"marble": bank}, ControlEvent(0.0, "bank.drop", 1.0, "nobody", words=("marble",)))[0] is None
    assert changed({}, ControlEvent(0.0, "bank.drop", 1.0, "nobody", words=("marble",)))[0] is None
    rename = ControlEvent(0.0, "bank.rename", 1.0, "place 2", words=("marble", "place 1"))
    kept, word = changed({"marble": bank}, rename)
    assert kept is not bank and [p.name for p in kept.places] == ["place 3", "place 2"] and "place 1 renamed to" in word


def test_messages_are_read_by_the_table():
    assert protocol.event(protocol.read('{"do": "blackout"}'), 2.0, "m") == ControlEvent(2.0, "show.blackout")
    knob = protocol.event({"do": "knob", "address": "a.b.c", "value": [0.25, 1]}, 1.0, "m")
    assert knob == ControlEvent(1.0, "knob.a.b.c", 0.25, "0.25,1.0")
    with pytest.raises(BadMessage, match="tags"):
        protocol.event({"do": "rename", "old": "a", "name": "b", "tags": ["x"] * 9}, 0.0, "m")


def test_a_small_picture_that_cannot_be_painted_is_not_tried_again(caplog):
    calls: list[bytes] = []

    def paint(model, latent):
        calls.append(latent)
        if latent == b"bad":
            raise MemoryError("no room")
        return np.full((3, 8, 8), 0.5, np.float32)

    it, stop = Thumbnails(paint, busy=lambda: True), threading.Event()
    thread = threading.Thread(target=it.run, args=(stop,))
    thread.start()
    it.wish("m", [b"bad", b"good"])
    assert until(lambda: it.get(key_of("m", b"good")) is not None)
    time.sleep(0.3)
    stop.set()
    thread.join(PATIENCE_S)
    bad, good = (it.get(key_of("m", latent)) for latent in (b"bad", b"good"))
    assert calls == [b"bad", b"good"] and bad == b"" and good[:2] == b"\xff\xd8"
    assert "no thumbnail of a snapshot of m: no room" in caplog.text


# -- with the show


@pytest.fixture
def own_banks(tmp_path, monkeypatch):
    monkeypatch.setattr(banks.read_all, "__defaults__", (tmp_path,))
    monkeypatch.setattr(banks.BankWriter.__init__, "__defaults__", (tmp_path,))
    return tmp_path


def test_the_page_plays_the_show(own_banks):
    with Rig(headless(preset="halo", page=0)) as rig:
        assert any(line.startswith("page: http://127.0.0.1:") for line in rig.notes())
        address = rig.page.url
        found: dict = {}

        def visit() -> None:
            origin = address.split("/")[0] + "//" + address.split("/")[2]
            with connect(address.replace("http", "ws") + "socket", origin=origin, max_size=None, proxy=None) as wire:
                told(wire, lambda s: "bank" in s and s["pictures"] >= 1, 30.0)
                send(wire, "keep", name="here")
                found["kept"] = told(wire, lambda s: s.get("bank", {}).get("places") and s["ready"], 30.0)
                send(wire, "breed")
                found["brood"] = told(wire, lambda s: len(s["ready"]) >= 12, 60.0)
                send(wire, "glide", number=found["brood"]["brood"][0]["number"])
                send(wire, "knob", address="main.walk.speed", value=0.0)
                found["held"] = told(wire, lambda s: "offspring" in s.get("now", {}).get("held", ""), 30.0)
                found["done"] = True

        visitor = threading.Thread(target=visit)
        visitor.start()
        assert play_until(rig, lambda: "done" in found), found.keys()
        visitor.join(PATIENCE_S)
        assert found["kept"]["bank"]["places"][0]["name"] == "here"
        assert rig.show.status.by_hand["main.walk.speed"] == 0.0
        keys = [one["key"] for one in found["brood"]["brood"]]
        pictures = [rig.page.thumbnails.get(key) for key in keys]
        assert len(set(pictures)) == 12
    assert (own_banks / "pearl.toml").is_file()
    with pytest.raises(OSError):  # the port is free again
        socket.create_connection(("127.0.0.1", int(address.split(":")[2].split("/")[0])), 0.5)


@pytest.fixture
def browser():
    playwright = pytest.importorskip("playwright.sync_api")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("no chromium, chromium-browser or google-chrome on the PATH")
    with playwright.sync_playwright() as play:
        yield play.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-dev-shm-usage"])


def test_a_real_browser_whose_page_sleeps_keeps_no_place_and_comes_back(browser, monkeypatch):
    alone(monkeypatch, visitor, "SILENT_S", 3.0)
    with Stand() as stand:
        page = browser.new_page()
        page.goto(stand.page.url)
        assert until(lambda: page.evaluate("document.getElementById('picture').naturalWidth") > 0)
        asleep = [
            process for process in psutil.Process().children(recursive=True) if "--type=renderer" in process.cmdline()
        ]
        assert asleep and len(stand.page._visitors) == 1
        for process in asleep:
            process.suspend()
        try:
            assert until(lambda: not stand.page._visitors)
        finally:
            for process in asleep:
                process.resume()
        assert until(lambda: len(stand.page._visitors) == 1)


def test_a_browser_drives_the_page(own_banks, browser):
    with Stand(places=3) as stand:
        page = browser.new_page(viewport={"width": 1180, "height": 820})
        problems: list[str] = []
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("console", lambda line: problems.append(line.text) if line.type == "error" else None)
        page.goto(stand.page.url)
        page.locator("#places img[src]").nth(2).wait_for()
        assert page.locator("#presets button").count() == 2 and page.locator("#title").inner_text() == "First"
        page.locator("#places .corner").first.click()
        page.locator("#breed").click()
        page.locator("#brood img[src]").nth(11).wait_for()
        page.locator("#brood .face").nth(4).click()
        assert stand.waited("bank.glide").text == "offspring 5"
        page.locator("#brood .corner").nth(4).click()
        page.fill("#sheet-name", "ember")
        page.press("#sheet-name", "Enter")
        page.locator('.tile[data-name="ember"]').wait_for()
        page.locator("#edit").click()
        page.locator('.tile[data-name="ember"] .face').click()
        page.locator("#sheet-drop").click()
        page.locator("#sheet-drop").click()
        assert stand.waited("bank.drop").text == "ember"
        slider = page.locator('#knobs input[type="range"]').first
        slider.focus()
        slider.press("End")
        assert stand.waited("knob.main.walk.speed").value == 4.0
        page.locator("#tap").click()
        page.locator("#blackout").click()
        assert stand.waited("show.blackout") and stand.waited("show.tap")
        small = page.evaluate("""() => [...document.querySelectorAll('button, input, summary')]
            .filter((one) => one.offsetParent && one.type !== 'color')
            .map((one) => [one.id || one.className || one.textContent, one.getBoundingClientRect()])
            .filter(([, box]) => box.width < 43.5 || box.height < 43.5).map(([name]) => name)""")
        assert small == [] and problems == []
        page.set_viewport_size({"width": 390, "height": 844})
        page.locator('nav [data-tab="bank"]').click()
        assert page.locator("#brood").is_visible() and not page.locator("#picture").is_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        browser.close()


def test_a_stopped_page_leaves_no_loop_behind():
    stand = Stand()
    with stand, stand.socket() as wire:
        told(wire, lambda s: "bank" in s)
    with pytest.raises(RuntimeError):
        asyncio.get_running_loop()
    assert not any(thread.is_alive() for thread in stand.threads)


@pytest.mark.parametrize("size", [(64, 36), (1280, 720), (300, 1000)])
def test_a_glimpse_is_the_picture_small(size, monkeypatch):
    from performer.gl.render.small_readback import Glimpse
    from performer.gl.window.offscreen import Offscreen

    surface = Offscreen(size)
    try:
        surface.screen.use()
        surface.ctx.clear(0.0, 0.0, 0.0)
        surface.ctx.scissor = (0, size[1] // 2, size[0], size[1] - size[1] // 2)  # the upper half
        surface.ctx.clear(1.0, 0.5, 0.0)
        surface.ctx.scissor = None
        for whole in (True, False):
            monkeypatch.setattr("performer.gl.render.small_readback.is_software", lambda ctx, whole=whole: whole)
            glimpse = Glimpse(surface.ctx, 100)
            glimpse.start(surface.screen, size, 0.0)
            deadline = time.monotonic() + PATIENCE_S
            while (picture := glimpse.take()) is None and time.monotonic() < deadline:
                time.sleep(0.01)
            height, width = picture.shape[:2]
            assert width == (size[0] if whole else min(100, size[0]))
            assert height == pytest.approx(width * size[1] / size[0], abs=1.0)
            assert np.abs(picture[0] - np.array([255, 128, 0])).max() <= 1 and picture[-1].max() == 0
            glimpse.release()
            assert Image.open(io.BytesIO(jpeg(picture, width=50))).width == 50
    finally:
        surface.close()


def test_a_gallery_s_address_is_the_same_after_every_start(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(word, "word_path", lambda: tmp_path / "settings" / "page.word")
    words = []
    for gallery in (True, True, False):
        with Rig(headless(page=0, gallery=gallery)) as rig:
            words.append(rig.page.token)
    assert words[0] == words[1] != words[2] and len(words[0]) >= 16
    if os.name == "posix":
        assert word.word_path().stat().st_mode & 0o077 == 0  # nobody else's to read
    word.word_path().write_text("../..")
    with Rig(headless(page=0, gallery=True)) as rig:
        assert len(rig.page.token) >= 16 and rig.page.token != words[0]
    assert "page.word: no word for an address" in caplog.text


def test_a_word_that_cannot_be_kept_is_one_line(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(Fault, match="cannot be"):
        word.load_or_create(tmp_path / "file" / "page.word")
