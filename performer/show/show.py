"""Show.step: fold one moment of sound and gestures into one immutable Frame. No I/O, and no clock of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import exp
from typing import NamedTuple

from performer.latent.bank import Bank
from performer.show.clock import Pulse, ShowClock
from performer.show.crossfader import Crossfader
from performer.show.cues import QUANTA, TRUSTED, Autopilot, Cue, crossed, wait_beats
from performer.show.gestures import Gestures
from performer.show.live_scene import LiveScene
from performer.show.snapshot_recall import SnapshotRecall, glide_s
from performer.system.numbers import whole_number
from performer.types.actions import handlers
from performer.types.features import Features, Sound
from performer.types.frame import ControlEvent, FollowerRequest, Frame, Scene
from performer.types.preset import Layer, Preset
from performer.types.status import FULL_EFFORT, Effort, Status

STALE_S = 0.25  # older sound than this is fading away ...
FADE_S = 0.3  # ... with this time constant
BLACKOUT_S = 0.15  # time constant of a blackout, soft enough not to hurt
AUTOPILOT_BARS = 16  # when it is switched on without a number
NO_MOVES: Mapping[int, Mapping[str, float]] = {}
RENEW_S = 4.0  # that a scene takes to dissolve into itself
SCENE_S = 7200.0  # of one scene's time: shaders count it in 32 bits, which move in steps of a picture after a day
JUMP_WAIT_S = 20.0  # a jump waits no longer, whatever it waits for


class Pads(NamedTuple):
    """MIDI notes that recall kept places: `note` the first, the next ones those after it; channel 1..16, 0: any."""

    note: int
    channel: int = 0


class Show:
    """The show's state between frames; one per performance, on one thread.

    Parameters
    ----------
    presets : Sequence[Preset]
        What may be played, in the order of the digit keys.
    first : str
        Name of the one to start with.
    seed : int, optional
        Shifts the seeds of all walks: another seed, another evening.
    quantise : str, optional
        Changes of preset and jumps wait for the next "beat", "bar" or "phrase", or happen "now".
    autopilot : int, optional
        Bars after which another preset is chosen, at the end of a phrase; 0: only by hand.
    crossfader : str, optional
        Address of the controller that is the crossfader, `midi.cc8` say; with one, there are two decks.
    banks : Mapping[str, Bank], optional
        Model -> kept places of its latent space.
    pads : Pads, optional
        The notes that recall them, if any do.
    """

    def __init__(
        self,
        presets: Sequence[Preset],
        first: str,
        *,
        seed: int = 0,
        quantise: str = "now",
        autopilot: int = 0,
        crossfader: str = "",
        banks: Mapping[str, Bank] | None = None,
        pads: Pads | None = None,
    ) -> None:
        self.presets = list(presets)
        self.seed = seed
        self.clock = ShowClock()
        self.recaller = SnapshotRecall(banks or {}, seed)
        self._pads = pads
        self._pads_down = set[int]()
        self._recall: tuple[ControlEvent, float] | None = None  # one that waits, and since when
        self.quantise = quantise
        self.autopilot = Autopilot(autopilot, seed)
        self._bars_wished = autopilot or AUTOPILOT_BARS
        self._cue: Cue | None = None
        self._take_t: float | None = None  # when a take was asked for that has not come yet
        self._jump_t: float | None = None  # when a jump was asked for that has not come yet
        self._handlers = handlers("show", self)
        self._gestures = Gestures()
        self._midi = self._gestures.values  # and the count of notes
        self._held: dict[int, float] = {}
        self._number = 0
        self._index = 0
        self._playing = self._start(next(p for p in presets if p.name == first), 0.0)
        self._incoming: LiveScene | None = None
        self._other: LiveScene | None = None  # on the deck that is not live
        self._two_decks = bool(crossfader)
        self._fader_address = crossfader
        self._fader = Crossfader()
        self._change_t = 0.0
        self._renewal = False  # the change is of a scene into itself
        self._blackout_on = False
        self._blackout = 0.0
        self._frozen: Frame | None = None
        self._freeze = False

    @property
    def preset(self) -> Preset:
        """What is playing, or what it is changing to."""
        return (self._incoming or self._playing).preset

    @property
    def coming(self) -> tuple[Preset | None, float | None]:
        """The preset that comes next, and in how many beats, where that is known.

        What waits for the music, what lies on the other deck, what the next key would bring; None where the autopilot
        chooses, or where there is no other.
        """
        pulse = self.clock.pulse
        if self._cue is not None:
            return self._cue.preset, wait_beats(pulse, self._cue.quantum)
        if self._two_decks:
            return (self._other.preset if self._other is not None else None), None
        if self.autopilot.bars and len(self.presets) > 1:
            return None, self.autopilot.bars_left(pulse.bar) * pulse.meter
        names = [preset.name for preset in self.presets]
        if self.preset.name not in names or len(names) < 2:
            return (self.presets[1 % len(names)] if names else None), None
        return self.presets[(names.index(self.preset.name) + 1) % len(names)], None

    @property
    def following(self) -> dict[int, FollowerRequest]:
        """Scene number -> the follower it wants, for all scenes at play."""
        return {
            playing.number: playing.following
            for playing in (self._playing, self._incoming, self._other)
            if playing is not None and playing.following is not None
        }

    def step(
        self,
        t: float,
        dt: float,
        size: tuple[int, int],
        features: Features,
        sound: Sound,
        events: Sequence[ControlEvent] = (),
        *,
        moves: Mapping[int, Mapping[str, float]] = NO_MOVES,
        effort: Effort = FULL_EFFORT,
    ) -> Frame:
        """The frame to be seen at time t (seconds).

        Parameters
        ----------
        dt : float
            Seconds since the frame before.
        size : tuple[int, int]
            (width, height) in pixels.
        features : Features
            Newest analysis; its beat is carried on to t.
        events : Sequence[ControlEvent], optional
            Gestures since the last step, oldest first.
        moves : Mapping[int, Mapping[str, float]], optional
            Moves of the followers: scene number -> route source -> 0..1.
        effort : Effort, optional
            What the picture may cost; `size` is already as it says.
        """
        self._gestures.begin()
        for event in events:
            self._gesture(event, t)
        self._gestures.end()
        before = self.clock.pulse.beat
        pulse = self.clock.step(t, dt, features, events)
        features = replace(
            _fade(features, t),
            t=t,
            beat=pulse.beat,
            bar=pulse.bar,
            bpm=pulse.bpm,
            confidence=pulse.confidence,
            meter=pulse.meter,
        )
        self._on_time(t, features)
        self._blackout += (float(self._blackout_on) - self._blackout) * (1.0 - exp(-dt / BLACKOUT_S))
        if abs(self._blackout - self._blackout_on) < 1e-3:
            self._blackout = float(self._blackout_on)
        if self._freeze and self._frozen is not None:
            for playing in (self._playing, self._incoming, self._other):
                if playing is not None:
                    playing.started += dt  # shaders go on where they stood, and so does a change
            self._change_t += dt
            self._frozen = replace(
                self._frozen,
                index=self._index,
                dt=0.0,
                size=size,
                blackout=self._blackout,
                effort=effort,
                status=self.status,
            )
            self._index += 1
            return self._frozen
        self._moves, values = moves, self._values(features, pulse)
        beats = pulse.beat - before
        scene = self._advance(self._playing, values, t, dt, beats)
        incoming = None
        progress = 0.0
        routes = self._playing.routes
        if self._incoming is not None:
            incoming = self._advance(self._incoming, values, t, dt, beats)
            routes = self._incoming.routes
            seconds = RENEW_S if self._renewal else self._incoming.preset.transition.seconds
            progress = min((t - self._change_t) / seconds, 1.0) if seconds > 0.0 else 1.0
            if progress >= 1.0:
                self._playing = self._incoming
                self._incoming = None
                self._renewal = False
                scene = incoming
                incoming = None
                progress = 0.0
        preview = None
        if self._other is not None and self._incoming is not None:
            preview = self._advance(self._other, values, t, dt, beats)
        elif self._other is not None:
            self._other, incoming, progress, preview, scene = self._cross(self._other, values, t, dt, beats, scene)
        frame = Frame(
            index=self._index,
            t=t,
            dt=dt,
            size=size,
            features=features,
            sound=sound,
            scene=scene,
            incoming=incoming,
            progress=progress,
            blackout=self._blackout,
            sync=pulse.source,
            routes=routes,
            preview=preview,
            renewal=self._renewal and incoming is not None,
            effort=effort,
            status=self.status,
        )
        self._index += 1
        self._frozen = frame
        return frame

    def _cross(
        self, other: LiveScene, values: Mapping[str, float], t: float, dt: float, beats: float, scene: Scene
    ) -> tuple[LiveScene, Scene | None, float, Scene | None, Scene]:
        """With two decks: the other deck, what comes in and how far, what only the preview shows, what is live."""
        second = self._advance(other, values, t, dt, beats)
        if self._fader.step(dt):
            self._playing, other = other, self._playing
            scene, second = second, scene
            self.autopilot.changed(t, self.clock.pulse.bar)
        progress = self._fader.progress
        return (other, second, progress, None, scene) if progress > 0.0 else (other, None, 0.0, second, scene)

    def _advance(self, playing: LiveScene, values: Mapping[str, float], t: float, dt: float, beats: float) -> Scene:
        pulse, moves = self.clock.pulse, self._moves.get(playing.number, self._moves.get(playing.after))
        return playing.step({**values, **moves} if moves else values, t, dt, beats, pulse.beat, pulse.meter)

    def _on_time(self, t: float, features: Features) -> None:
        """What waits for the music, and what the autopilot thinks."""
        clock = self.clock
        chosen = self.autopilot.step(t, clock, features.drops, self.presets, self.preset.name)
        if self._cue is not None and self._cue.due(t, clock):
            chosen = self._cue.preset
            self._cue = None
        if chosen is not None:
            self.change(chosen, t)
        if self._recall is not None and (
            crossed(clock, self.quantise) or clock.pulse.confidence < TRUSTED or t - self._recall[1] > JUMP_WAIT_S
        ):
            event = self._recall[0]
            self._recall = None
            self._hold(event, t)
        if self._take_t is not None and (
            self._other is None
            or crossed(clock, self.quantise)
            or clock.pulse.confidence < TRUSTED
            or t - self._take_t > JUMP_WAIT_S
        ):
            self._take_t = None
            if self._other is not None:
                self._fader.take(self._other.preset.transition.seconds)
        if self._jump_t is not None:
            waited = t - self._jump_t
            if crossed(clock, self.quantise) or clock.pulse.confidence < TRUSTED or waited > JUMP_WAIT_S:
                self._jump_t = None
                for playing in (self._playing, self._incoming, self._other):
                    if playing is not None:
                        playing.jump()
        self._renew(t)

    def _renew(self, t: float) -> None:
        """Begin the time of a scene that has played for hours anew, on a downbeat.

        It dissolves into itself; one with media of its own, which cannot be opened twice, and one beside another deck
        just goes on.
        """
        if self._other is not None and t - self._other.started > SCENE_S:
            self._other.started = t
        old = self._playing
        if (
            self._incoming is not None
            or t - old.started < SCENE_S
            or not (crossed(self.clock, "bar") or self.clock.pulse.confidence < TRUSTED)
        ):
            return
        if self._other is not None or any(layer.play is not None for layer in old.preset.layers):
            old.started = t
        else:
            self._incoming = self._start(old.preset, t)
            self._change_t = t
            self._renewal = True
            self._incoming.take_over(old)

    @property
    def status(self) -> Status:
        """How the show stands."""
        preset, beats = self.coming
        live = self._fader.live if self._two_decks else ""
        return Status(
            frozen=self._freeze,
            dark=self._blackout_on,
            held=self.recaller.word,
            by_hand=(self._incoming or self._playing).router.turned(),
            coming=preset.title if preset is not None else "",
            beats=beats,
            cued=self._cue is not None,
            live=live,
            other=self._other.preset.title if live and self._other is not None else "",
            quantise=self.quantise,
            autopilot_bars=self.autopilot.bars,
            tempo_factor=self.clock.pulse.factor,
            beat_moved=self.clock.pulse.moved,
            downbeat_moved=self.clock.pulse.downbeat_moved,
            meter=self.clock.pulse.meter,
        )

    def change(self, preset: Preset, t: float) -> None:
        """Start to change to a preset at time t; a change already under way is finished first."""
        self.autopilot.changed(t, self.clock.pulse.bar)
        if self._incoming is not None:
            self._playing = self._incoming
        self._incoming = self._start(preset, t)
        self._change_t = t
        self._renewal = False

    def replace(self, presets: Sequence[Preset]) -> None:
        """Take newly loaded presets.

        The one playing takes over new values, routes and inputs at once; with other layers or shaders it goes on as it
        was until it is chosen again.
        """
        self.presets = list(presets)
        fresh = {preset.name: preset for preset in presets}
        for playing in (self._playing, self._incoming, self._other):
            new = fresh.get(playing.preset.name) if playing is not None else None
            if playing is not None and new is not None and new is not playing.preset and new.same_shape(playing.preset):
                playing.adopt(new)

    def _start(self, preset: Preset, t: float) -> LiveScene:
        self._number += 1
        counts = {**self._gestures.presses, "midi.notes": self._midi.get("midi.notes", 0.0)}
        return LiveScene(self._number, preset, t, seed=self.seed, pulse=self.clock.pulse, counts=counts)

    def _gesture(self, event: ControlEvent, t: float) -> None:
        address = event.address
        value = event.value
        if address == self._fader_address:
            self._fader.move(value)
        if (
            self._pads is not None
            and address.startswith("midi.note")
            and whole_number(address[9:], 127) is not None
            and (not self._pads.channel or event.text == f"ch{self._pads.channel}")
        ):
            self._pad(int(address[9:]) - self._pads.note, value > 0.0, t)
        if address.startswith("midi."):
            self._remember(address, value)
        elif address.startswith("knob."):
            (self._incoming or self._playing).turn(address.removeprefix("knob."), value, event.text)
        elif (handler := self._handlers.get(address)) is not None:
            handler(event, t)

    # What can be asked for: see types/actions.py.

    def choose_preset(self, event: ControlEvent, t: float) -> None:
        """Change to the preset with the event's text as name, or its value as place."""
        if event.text:
            chosen = [preset for preset in self.presets if preset.name == event.text]
        else:
            chosen = self.presets[int(event.value) : int(event.value) + 1]
        if chosen:
            self._ask(chosen[0], t)

    def next_preset(self, event: ControlEvent, t: float) -> None:
        """Change to the one after what comes."""
        self._ask_beside(1, t)

    def previous_preset(self, event: ControlEvent, t: float) -> None:
        """Change to the one before what comes."""
        self._ask_beside(-1, t)

    def toggle_decks(self, event: ControlEvent, t: float) -> None:
        """Two decks, or one."""
        self._two_decks = not self._two_decks
        if not self._two_decks:
            if self._other is not None and self._fader.progress >= 0.5:
                self._playing = self._other
            self._other = None
            self._fader = Crossfader()

    def take(self, event: ControlEvent, t: float) -> None:
        """The other deck comes in, when the music gets there."""
        self._take_t = t

    def move_crossfader(self, event: ControlEvent, t: float) -> None:
        """A hand is on the crossfader."""
        self._fader.move(event.value)

    def jump(self, event: ControlEvent, t: float) -> None:
        """Walks leap to their next keyframe, when the music gets there."""
        self._jump_t = t

    def change_quantise(self, event: ControlEvent, t: float) -> None:
        """What changes wait for: the event's text, or the next of QUANTA."""
        following = QUANTA[(QUANTA.index(self.quantise) + 1) % len(QUANTA)]
        self.quantise = event.text if event.text in QUANTA else following

    def toggle_autopilot(self, event: ControlEvent, t: float) -> None:
        """On, or off."""
        self.autopilot.bars = 0 if self.autopilot.bars else self._bars_wished
        self.autopilot.changed(t, self.clock.pulse.bar)

    def toggle_blackout(self, event: ControlEvent, t: float) -> None:
        """Dark, or light again."""
        self._blackout_on = not self._blackout_on

    def toggle_freeze(self, event: ControlEvent, t: float) -> None:
        """Still, or on again."""
        self._freeze = not self._freeze

    def recall(self, event: ControlEvent, t: float) -> None:
        """Glide to a kept place, to offspring, or back to the walk, when the music gets there."""
        self._recall = (event, t)

    def _ask_beside(self, by: int, t: float) -> None:
        names = [preset.name for preset in self.presets]
        if self._cue is not None:
            now = self._cue.preset.name
        elif self._other is not None:
            now = self._other.preset.name
        else:
            now = self.preset.name
        at = names.index(now) if now in names else 0
        self._ask(self.presets[(at + by) % len(names)], t)

    def _pad(self, place: int, down: bool, t: float) -> None:
        """A pad recalls its place; struck while others are held, it breeds an offspring of theirs and its own."""
        if not down or place < 0:
            self._pads_down.discard(place)
            return
        others = sorted(self._pads_down)
        self._pads_down.add(place)
        self._recall = (
            ControlEvent(t, "bank.breed", words=tuple(map(str, (*others, place))))
            if others
            else ControlEvent(t, "bank.recall", float(place)),
            t,
        )

    def panic(self, event: ControlEvent, t: float) -> None:
        """Whatever hands have done is undone: light, motion, knobs as the presets say, no note or place held.

        What plays, the tempo and the decks stay.
        """
        self._blackout_on = self._freeze = False
        self._cue = self._take_t = self._jump_t = self._recall = None
        self._held.clear()
        self._pads_down.clear()
        struck = self._midi.get("midi.notes")
        self._gestures.clear()
        self.clock.unmove()
        if struck is not None:
            self._midi["midi.notes"] = struck
        self.recaller.word = ""
        for playing in (self._playing, self._incoming, self._other):
            if playing is not None:
                playing.router.release()
                playing.release(t, glide_s(self.clock.pulse))

    def _hold(self, event: ControlEvent, t: float) -> None:
        """Let the live scene's walks glide to kept places, each to one of its model's bank, or back."""
        playing, seconds, names = self._incoming or self._playing, glide_s(self.clock.pulse), []
        if event.address == "bank.let_go":
            playing.release(t, seconds)
            self.recaller.word = ""
            return
        for layer in playing.preset.model_layers:
            assert layer.model is not None
            place = self.recaller.wanted(event, layer.model)
            if place is not None:
                playing.hold(layer, place, t, seconds, self._midi)
                names.append(place.name)
        if names:
            self.recaller.word = ", ".join(dict.fromkeys(names))

    def played(self, scene: Scene, layer: Layer) -> dict[str, float]:
        """How far the music moves the directions of a layer's model now, by their names; of a scene on either deck."""
        for playing in (self._playing, self._incoming, self._other):
            if playing is not None and playing.number == scene.number:
                return playing.played(layer, self._midi)
        return {}

    def _ask(self, preset: Preset, t: float) -> None:
        """Change now, or when the music gets there; asked for again while it waits, a preset comes at once.

        With two decks it is laid on the one that is not live, unless that is in the picture.
        """
        if self._two_decks:
            if self._fader.progress <= 0.0:
                self._other = self._start(preset, t)
        elif self.quantise == "now" or (self._cue is not None and self._cue.preset is preset):
            self._cue = None
            self.change(preset, t)
        else:
            self._cue = Cue(preset, self.quantise, t)

    def _remember(self, address: str, value: float) -> None:
        if address == "midi.program":
            self._midi[address] = value
            return
        self._gestures.take(address, value)
        note = whole_number(address[9:], 127) if address.startswith("midi.note") else None
        if note is not None:
            self._held.pop(note, None)
            if value > 0.0:
                self._held[note] = value
                self._midi["midi.notes"] = self._midi.get("midi.notes", 0.0) + 1.0
                self._midi["midi.note"] = note / 127.0
            self._gestures.take("midi.velocity", max(self._held.values(), default=0.0))

    def _values(self, features: Features, pulse: Pulse) -> dict[str, float]:
        """Every route source that has a value now, and how often controls were pressed."""
        trust = min(1.0, pulse.confidence * 2.0)
        values = {f"audio.{name}": value for name, value in features.values.items()}
        values.update(self._midi)
        values.update(self._gestures.presses)
        values.update(
            {
                "audio.onsets": float(features.onsets),
                "audio.kicks": float(features.kicks),
                "audio.snares": float(features.snares),
                "audio.hats": float(features.hats),
                "audio.drops": float(features.drops),
                "beat.count": float(int(pulse.beat)),
                "beat.bars": float(int(pulse.bar)),
                "beat.phase": pulse.beat % 1.0,
                "beat.bar": pulse.bar % 1.0,
                "beat.pulse": trust * (1.0 - pulse.beat % 1.0) ** 2,
                "beat.confidence": pulse.confidence,
                "beat.tempo": min(pulse.bpm / 240.0, 1.0),
            }
        )
        return values


def _fade(features: Features, t: float) -> Features:
    """Sound that stopped coming (device lost) fades away instead of standing still."""
    age = t - features.t - STALE_S
    if age <= 0.0:
        return features
    gain = exp(-age / FADE_S)
    return replace(
        features,
        values={name: value * gain for name, value in features.values.items()},
        bands=features.bands * gain,
        confidence=features.confidence * gain,
    )
