"""`performer calibrate`: clicks to hear, flashes to see, and what a person's taps or a microphone make of them."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from contextlib import ExitStack
from queue import Empty
from time import perf_counter, sleep
from typing import TypeVar

import numpy as np

from performer.gl.hud.hud import Hud, HudState
from performer.gl.render.wait import finish
from performer.gl.window.window import Window
from performer.io.midi import ports as midi
from performer.io.sound import portaudio
from performer.io.sound.clicks import Clicks
from performer.io.sound.soundcard import SoundCard
from performer.rig.calibration import estimate, settings_file
from performer.rig.calibration.estimate import SKIPPED, Estimate, Unclear
from performer.rig.calibration.settings_file import Measured
from performer.rig.latency import Latency
from performer.rig.options import CalibrateOptions
from performer.rig.pacing import Pace
from performer.system.errors import Fault
from performer.system.timeouts import TimedOut, within
from performer.types.frame import ControlEvent
from performer.types.notification import Notification

log = logging.getLogger(__name__)
T = TypeVar("T")
PERIOD_S = 0.75  # of the pulse: 80 bpm, easy to tap to, and no delay of up to 0.37 s is mistaken for another
FLASH_S = 0.1
LEAD_IN_S = 1.0  # of quiet before the first pulse
ECHO_S = 1.0  # listened to after the last click
IDLE_S = 60.0  # waiting for the first tap
OPEN_S = 10.0  # for a sound system to open a stream
LEAVE_S = 1.5  # and to close it
WAKE_S = 6.0  # for an input's first samples: an idle monitor sleeps for 2 s
WAYS = ("tapping", "microphone", "both")


class Session:
    """One calibration: parts are opened as they are needed, and closed by `close`. Main thread only.

    Parameters
    ----------
    say : callable
        Takes lines for people.
    again : callable, optional
        Without a window, asks whether to try once more what did not work, which it is told.

    Raises
    ------
    Fault
        When a part is missing, or when the taps or the recording say nothing.

    Attributes
    ----------
    part
        "", "waiting", "clicks" or "flashes": what goes on now.
    flashes : list[float]
        When the flashes so far were seen, as far as the program knows; seconds, on the clock `now`.
    """

    def __init__(
        self, options: CalibrateOptions, say: Callable[[str], None], again: Callable[[str], bool] = lambda why: False
    ) -> None:
        if options.by not in WAYS:
            raise Fault(f"--by {options.by!r}: expected tapping, microphone or both")
        self.options = options
        self._say = say
        self._again = again
        self.part = ""
        self.flashes: list[float] = []
        self._taps: list[float] = []
        self._begun = perf_counter()
        self._closing = ExitStack()
        self._sound: list[np.ndarray] = []
        self._starts: list[float] = []  # when the recording's first sample sounded, by each look
        self._read = 0
        self._card: SoundCard | None = None
        self._window: Window | None = None
        try:
            self._open()
        except BaseException:
            self.close()
            raise

    def now(self) -> float:
        """Seconds since the session began."""
        return perf_counter() - self._begun

    @property
    def clicks(self) -> list[float]:
        """When clicks leave the loudspeaker, past and to come; seconds, on the clock `now`."""
        return self._clicks.times

    def close(self) -> None:
        self._closing.close()

    def run(self) -> list[Measured]:
        """Measure, say what was found, and save it."""
        made = []
        if self._window is None:
            made.append(self._until_clear(self._listen))
        else:
            self._await_tap("clicks are next: tap along with what you HEAR, space bar or pad; tap to begin")
            clicks, recorded = self._until_clear(self._click_part)
            if recorded is not None:
                made.append(recorded)
            self._await_tap("flashes are next: tap along with what you SEE; tap to begin")
            made.append(self._tapped(clicks, self._until_clear(self._flash_part)))
        path = settings_file.calibration_path()
        for measured in made:
            path = settings_file.keep(measured)
        self._say(f"saved in {path}; `performer play` uses it, --output-delay-ms overrides it")
        return made

    def _until_clear(self, part: Callable[[], T]) -> T:
        """What a part measures; where that is nothing, say why and try it again. Raises Fault when one gives up."""
        while True:
            try:
                return part()
            except Unclear as unclear:
                if self._window is not None:
                    self._await_tap(f"{unclear}. Tap to try this again; esc esc quits")
                elif not self._again(str(unclear)):
                    raise

    def _open(self) -> None:
        options = self.options
        closing = self._closing
        try:
            self._clicks = within(OPEN_S, lambda: Clicks(options.output, estimate.click, self.now))
            closing.callback(_let_go, self._clicks.close)
            if options.by != "tapping":
                self._card = card = SoundCard(options.input, self.now)
                closing.callback(_let_go, card.close)
                within(OPEN_S, card.open)
        except TimedOut:
            raise Fault("the sound system does not respond; restart it") from None
        if options.by != "microphone":
            try:
                window = Window(
                    options.size, options.monitor, options.fullscreen, title="performer calibrate", clock=self.now
                )
            except Fault as fault:
                raise Fault(str(fault).replace("--headless", "--by microphone")) from None
            self._window = window
            closing.callback(window.close)
            self._hands = midi.create(options.midi, options.midi_api, self.now)
            closing.callback(self._hands.close)
            self._hud = Hud(window.ctx)
            interval = 1.0 / window.refresh_hz
            self._latency = Latency(interval, 0.5 * interval)
            self._pace = Pace(interval)

    def _listen(self) -> Measured:
        """The microphone alone: click, and record."""
        self._wake()
        self.part = "clicks"
        self._clicks.play(self.options.pulses, PERIOD_S, LEAD_IN_S)
        self._say(f"{self.options.pulses} clicks are played and listened to: please be quiet")
        while self.now() < max(self.clicks, default=float("inf")) + ECHO_S:
            self._record()
            sleep(0.02)
        return self._recorded()

    def _wake(self) -> None:
        """Wait for the input's first samples."""
        assert self._card is not None
        end = self.now() + WAKE_S
        while self._card.ring.written < 0.5 * self._card.rate and self.now() < end:
            sleep(0.02)
        self._sound.clear()
        self._starts.clear()
        self._read = self._card.ring.written

    def _record(self) -> None:
        card = self._card
        if card is None:
            return
        rows, lost = card.ring.since(self._read)
        if lost:
            rows = np.concatenate([np.zeros((lost, rows.shape[1]), np.float32), rows])
        self._sound.append(rows)
        self._starts.append(card.ring.stamp - card.ring.written / card.rate)
        self._read += len(rows)

    def _recorded(self) -> Measured:
        card = self._card
        assert card is not None
        sound = np.concatenate(self._sound)
        start = float(np.median(self._starts)) + (self._read - len(sound)) / card.rate
        found = estimate.heard(self.clicks, sound, card.rate, start)
        self._say(f"microphone: clicks come {_ms(found)} later than the sound system says")
        return Measured.of("sound", card.key, self._clicks.name, found)

    def _click_part(self) -> tuple[Estimate, Measured | None]:
        """What taps to clicks say, and what the microphone does, if there is one."""
        if self._card is not None:
            self._wake()
        self._taps.clear()
        self._clicks.play(self.options.pulses, PERIOD_S, LEAD_IN_S)
        self.part = "clicks"
        while self.now() < max(self.clicks, default=float("inf")) + ECHO_S:
            self._picture(0.0, f"tap along with the clicks    {len(self._taps)} of {self.options.pulses}")
            self._record()
        found = estimate.tapped(self.clicks, self._taps, PERIOD_S, "clicks")
        self._say(f"clicks: tapped {_ms(found)} after them")
        return found, self._recorded() if self._card is not None else None

    def _flash_part(self) -> Estimate:
        self._taps.clear()
        self.flashes.clear()
        self.part = "flashes"
        first = self.now() + LEAD_IN_S
        pulses = self.options.pulses
        while self.now() < first + (pulses - 1) * PERIOD_S + ECHO_S:
            due = self.now() + self._latency.look_ahead_s - first
            number = int(due // PERIOD_S)
            into = due % PERIOD_S
            bright = 0 <= number < pulses and into < FLASH_S
            seen = self._picture(
                float(bright), "" if bright else f"tap along with the flashes    {len(self._taps)} of {pulses}"
            )
            if bright and (not self.flashes or seen - self.flashes[-1] > 0.5 * PERIOD_S):
                self.flashes.append(seen)
        found = estimate.tapped(self.flashes, self._taps, PERIOD_S, "flashes")
        self._say(f"flashes: tapped {_ms(found)} after them")
        return found

    def _tapped(self, clicks: Estimate, flashes: Estimate) -> Measured:
        assert self._window is not None
        found = flashes.minus(clicks)
        measured = Measured.of("screen", self._window.monitor_name, self._clicks.name, found)
        self._say(
            f"{measured.device} is {measured.delay_ms:+.0f} ms later than {measured.output}, beyond what the "
            f"program knows (give or take {2 * measured.error_ms:.0f} ms, and some 15 that eyes and ears differ)"
        )
        return measured

    def _await_tap(self, text: str) -> None:
        self._say(text)
        self._taps.clear()
        self.part = "waiting"
        end = self.now() + IDLE_S
        while not self._taps:
            if self.now() > end:
                raise Fault("no taps; press the space bar in the window, hit a MIDI pad, or use --by microphone")
            self._picture(0.0, text)
            self._hands.poll(self.now())

    def _picture(self, grey: float, text: str) -> float:
        """Draw one; returns when it was seen, as far as the program knows."""
        window = self._window
        assert window is not None
        for event in (*window.poll(), *self._gestures()):
            if event.address == "app.quit":
                raise Fault("stopped; nothing was saved")
            if event.address == "show.tap" or (event.address.startswith("midi.note") and event.value > 0.0):
                self._taps.append(event.t)
        begun = self.now()
        window.screen.use()
        window.ctx.clear(grey, grey, grey)
        if text:
            self._hud.draw(HudState(t=begun, page=0, messages=(Notification(begun, text),)), window.screen, window.size)
        finish()
        drawn = self.now()
        self._pace.wait(drawn - begun, self._pace.interval_s)
        swapping = self.now()
        window.swap()
        shown = self.now()
        self._pace.swapped(shown - swapping, self._pace.interval_s)
        self._latency.shown(begun, drawn, shown)
        return shown + self._latency.scan_s

    def _gestures(self) -> list[ControlEvent]:
        made = []
        while True:
            try:
                made.append(self._hands.events.get_nowait())
            except Empty:
                return made


def calibrate(options: CalibrateOptions, say: Callable[[str], None]) -> list[Measured]:
    """Measure, say and save; returns what was measured. Raises Fault."""
    if options.pulses < estimate.LEAST + SKIPPED:
        raise Fault(
            f"--pulses {options.pulses}: at least {estimate.LEAST + SKIPPED}, of which the first {SKIPPED} do not count"
        )
    session = Session(options, say, _ask if sys.stdin.isatty() else lambda why: False)
    try:
        return session.run()
    finally:
        session.close()


def _ask(why: str) -> bool:
    """Whether somebody at the terminal wants another try."""
    print(f"{why}.\nPress Enter to try again, q and Enter to quit: ", end="", flush=True)
    answer = sys.stdin.readline()
    return bool(answer) and answer.strip().lower() not in ("q", "quit", "n", "no")


def _let_go(close: Callable[[], None]) -> None:
    try:
        within(LEAVE_S, close)
    except TimedOut:
        portaudio.skip_exit_handler()


def _ms(found: Estimate) -> str:
    left_out = f", {found.rejected} left out" if found.rejected else ""
    return f"{found.delay_s * 1000:+.0f} ms (spread {found.spread_s * 1000:.0f} ms, {found.count} of them{left_out})"
