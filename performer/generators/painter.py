"""Frame -> Images: runs the models of a frame's layers; inline offline, on its own thread live."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from time import perf_counter

import numpy as np

from performer.generators.generator import Generator, ModelSlot
from performer.generators.media.open import Begin, Medium, create
from performer.generators.onnx.batching import Asked
from performer.generators.prediction.latency_lead import LatencyLead
from performer.generators.prediction.paint_ahead import PaintAhead
from performer.latent.style_space import latent_of, offset_of
from performer.system.errors import Fault
from performer.system.mailboxes import Latest
from performer.system.timeouts import Call, TimedOut
from performer.types.frame import Frame, Scene, Walk
from performer.types.image import GpuImage, Image, Images
from performer.types.preset import Layer

log = logging.getLogger(__name__)
RETRY_S = 5.0  # a model that failed is left alone this long
LOOK_S = 1.0  # how often a model's file is looked at
GLIDE_S = 1.5  # from a model to its new version
EARLY = 0.4  # of a frame, by which a rest may be cut short: what is left of it would cost a whole one

Key = tuple[int, str]  # scene number, layer
Painted = tuple[Walk, Image]
#: What a picture is made from: a walk, a picture, or pictures by the inputs that take them.
Given = Walk | Image | tuple[tuple[str, Image], ...]


@dataclass(frozen=True, slots=True)
class PainterStatus:
    """How a painter does, for whoever shows it.

    Attributes
    ----------
    provider : str
        Where its newest model runs.
    rate_hz : float
        Images per second while the walks move.
    """

    provider: str = "none"
    rate_hz: float = 0.0


class Painter:
    """Keeps models loaded and paints what frames ask for.

    A model that cannot be loaded, fails or runs out of memory is reported once and leaves the last image standing.

    Parameters
    ----------
    load : callable
        Model name -> Generator; raises Fault.
    stamp : callable, optional
        Model name -> when its file was changed; a changed one is loaded aside, and glides in.
    begin : Begin, optional
        Starts a thread; with it models and media are opened aside, so that those playing go on, videos and cameras are
        read on threads of their own, and smooth walks are painted ahead; without it everything is done when it is asked
        for.
    stay : bool, optional
        Pictures that were made on a card may stay there.
    """

    def __init__(
        self,
        load: Callable[[str], Generator],
        stamp: Callable[[str], float] = lambda name: 0.0,
        begin: Begin | None = None,
        stay: bool = False,
    ) -> None:
        self._load = load
        self._stamp = stamp
        self._begin = begin
        self._stay = stay
        self._media: dict[tuple[int, str], Medium | Call[Medium]] = {}
        self._models: dict[str, ModelSlot] = {}
        self._coming: dict[str, Call[Generator]] = {}
        self._failed: dict[object, float] = {}
        self._told: set[str] = set()
        self._done: dict[tuple[int, str], tuple[Given, Image]] = {}
        self._done_media: dict[tuple[int, str], Image] = {}
        self._closed = threading.Event()
        self._status: Latest[PainterStatus] = Latest()
        self.took_s = 0.0  # seconds of the newest image
        self.ahead = 0  # pictures that were painted ahead

    def warm(self, name: str) -> None:
        """Load a model now, rather than when a frame first asks for it. Raises Fault."""
        if name not in self._models:
            self._keep(name, self._load(name))

    def _keep(self, name: str, model: Generator) -> None:
        self._models[name] = ModelSlot(model, self._stamp(name))
        self._status.post(replace(self.status, provider=model.provider))

    def paint(self, frame: Frame, ready: Painted | None = None) -> Images:
        """Images of all model layers of the frame's scenes; those of which nothing moves are kept as they are.

        Parameters
        ----------
        ready : Painted, optional
            What was painted ahead for the one walk there is.
        """
        images: dict[tuple[int, str], Image] = {}
        done: dict[tuple[int, str], tuple[Given, Image]] = {}
        self._close_media(frame)
        for scene in frame.scenes:
            for layer in scene.preset.layers:
                if layer.play is not None:
                    image = self._shown(scene, layer, frame)
                    if image is not None:
                        images[scene.number, layer.name] = image
            layers = [layer for layer in scene.preset.layers if layer.model is not None]
            for layer in sorted(layers, key=lambda layer: layer.of is not None):  # what they are of comes first
                assert layer.model is not None
                key = (scene.number, layer.name)
                given: Given | None = scene.walks[layer.name] if layer.of is None else _pictures(scene, layer, images)
                old = self._done.get(key)
                if ready is not None and not self._moving(layer.model):
                    old = ready[0], replace(ready[1], t=frame.t)
                elif given is not None and (old is None or old[0] != given or self._moving(layer.model)):
                    image = self._image(layer.model, given, frame.t, scene)
                    if image is not None:
                        old = (given, image)
                if old is not None:
                    done[key] = old
                    images[key] = old[1]
        self._done = done
        return images

    def run(self, frames: Latest[Frame], images: Latest[Images], stop: threading.Event) -> None:
        """Thread body: paint the newest frame again and again; frames that came meanwhile are skipped.

        Where the one walk at play is smooth and its model makes several pictures at less cost, they are painted ahead.
        """
        seen = 0
        lead = LatencyLead()
        late_s = 0.0
        ahead: PaintAhead[Painted] = PaintAhead()
        last = perf_counter()
        rested = 0.0
        while not stop.is_set():
            seen, frame = frames.wait(seen, 0.1)
            if frame is None:
                continue
            begun = perf_counter()
            interval_s = frame.effort.image_interval_s
            alone = self._alone(frame)
            foretold = ahead.see(alone and alone[:2], alone and alone[2], frame.t)
            ready = ahead.due(frame.t)
            if ready is None and foretold and (len(ahead) or begun < rested):
                continue
            made = self.paint(lead.ahead(frame, late_s), ready)
            previous = images.peek()
            if previous is None or any(previous.get(key) is not image for key, image in made.items()):
                images.post(made)
                now = perf_counter()
                rate_hz = self.rate_hz + 0.1 * (1.0 / max(now - last, 1e-4) - self.rate_hz)
                self._status.post(replace(self.status, rate_hz=rate_hz))
                last = now
                if ready is None:
                    spent = now - begun  # then a crossfade brings it, for as long as the next one takes
                    late_s += 0.2 * (spent + 0.5 * max(spent, interval_s) - late_s)
            rested = begun + interval_s - EARLY * frame.dt
            if alone is not None and foretold:
                self._paint_ahead(ahead, alone[1], interval_s, ready is None)

    def _alone(self, frame: Frame) -> tuple[Key, str, Walk] | None:
        """The one walk at play, of which layer and model, where pictures come more slowly than frames and its model
        can paint several in a run."""
        layers = [(scene, layer) for scene in frame.scenes for layer in scene.preset.layers if layer.model is not None]
        if self._begin is None or frame.effort.image_interval_s <= 0.0 or len(layers) != 1:
            return None
        ((scene, layer),) = layers
        if layer.of is not None:
            return None
        assert layer.model is not None
        loaded = self._models.get(layer.model)
        if loaded is None or loaded.before is not None:
            return None
        if not loaded.tried:
            loaded.tried = True
            self._begin("trial", lambda: self._try(loaded, loaded.model))
        if loaded.several is None:
            return None
        return (scene.number, layer.name), layer.model, scene.walks[layer.name]

    def _try(self, loaded: ModelSlot, model: Generator) -> None:
        loaded.several = model.several(self._closed.is_set)
        if loaded.model is not model:  # a new version came meanwhile, perhaps only just
            loaded.several = None

    def _paint_ahead(self, ahead: PaintAhead[Painted], name: str, interval_s: float, single: bool) -> None:
        """Paint the next pictures of a smooth walk in one run.

        interval_s  least seconds between two of them
        single  the newest picture was painted alone, so that its time is what one takes now
        """
        loaded = self._models.get(name)
        batch = loaded.several if loaded is not None else None
        if loaded is None or batch is None:
            return
        if single:
            batch.took(self.took_s)
        begun = perf_counter()
        plan = ahead.plan(batch.count, batch.share * interval_s, batch.work_s)
        if not plan:
            return
        try:
            pictures = batch.paint([self._model_inputs(loaded.model, walk) for _, walk in plan])
        except (Fault, MemoryError):
            loaded.several = None  # it plays without
            ahead.forget()
            return
        self.took_s = (perf_counter() - begun) / batch.count
        batch.took(self.took_s / batch.share)
        self.ahead += batch.count
        ahead.keep(
            [(due, (walk, Image(pixels, due, self.took_s))) for (due, walk), pixels in zip(plan, pictures, strict=True)]
        )

    def _image(self, name: str, given: Given, t: float, scene: Scene) -> Image | None:
        if self._failed.get(name, 0.0) > perf_counter():
            return None
        begun = perf_counter()
        try:
            if not self._ensure_loaded(name):
                return None
            loaded = self._models[name]
            pixels = self._drawn(loaded.model, given, self._stay and loaded.before is None)
            if loaded.before is not None:
                assert isinstance(pixels, np.ndarray)
                pixels = self._crossfade_versions(loaded, given, pixels, t)
        except (Fault, MemoryError) as error:
            self._models.pop(name, None)
            self._failed[name] = perf_counter() + RETRY_S
            self._log_once(str(error) or "out of memory", scene)
            return None
        self.took_s = perf_counter() - begun
        return Image(pixels, t, self.took_s)

    @staticmethod
    def _drawn(model: Generator, given: Given, stay: bool = False) -> np.ndarray | GpuImage:
        stay = stay and model.stays
        if isinstance(given, Image):
            return model.change(_planes(given), stay=True) if stay else model.change(_planes(given))
        if isinstance(given, tuple):
            each = {name: _planes(image) for name, image in given}
            return model.change(next(iter(each.values())), stay, each)
        asked = Painter._model_inputs(model, given)
        return model.paint(*asked, stay=True) if stay else model.paint(*asked)

    @staticmethod
    def _model_inputs(model: Generator, walk: Walk) -> Asked:
        """What a walk asks of a model."""
        styles = walk.styles if model.mixes else (None, None)
        z, offset = Painter._latent_for(model, walk)
        (middle, of_middle), (fine, of_fine) = (
            (None, offset) if style is None else Painter._latent_for(model, style) for style in styles
        )
        return z, middle, fine, walk, (offset, of_middle, of_fine)

    @staticmethod
    def _latent_for(model: Generator, walk: Walk) -> tuple[np.ndarray, np.ndarray | None]:
        """The latent (D,) float32 that a walk asks of a model, and what is added to its style (W,) to be there in w."""
        z = latent_of(walk, model.card.latent, model.directions)
        return z, offset_of(walk, z, model.directions, model.mapping) if model.mapping is not None else None

    def shown(self, model: str, walk: Walk) -> bytes | None:
        """That latent, for a bank, and after it the style, where it is not just the latent's; None while the model is
        not loaded, or its mapping fails."""
        loaded = self._models.get(model)
        if loaded is None:
            return None
        try:
            playing = loaded.model  # the same one throughout, should a new version come just now
            z, offset = self._latent_for(playing, walk)
            mapping = playing.mapping
            style = mapping(z[None])[0] + offset if offset is not None and mapping is not None else np.zeros(0)
        except Fault as fault:
            log.error("%s", fault)
            return None
        return np.concatenate([z, style]).astype(np.float32).tobytes()

    def _ensure_loaded(self, name: str) -> bool:
        """Whether the model can be used now; where not, it is on its way. Raises Fault."""
        loaded = self._models.get(name)
        if loaded is not None:
            self._check_for_update(name, loaded)
            return True
        if self._begin is None:
            self.warm(name)
            return True
        if name not in self._coming:
            self._coming[name] = Call(lambda: self._load(name))
        call = self._coming[name]
        try:
            model = call.wait(0.0)
        except TimedOut:
            return False
        except Fault:
            del self._coming[name]
            raise
        del self._coming[name]
        self._keep(name, model)
        return True

    def _moving(self, name: str) -> bool:
        """Whether the picture changes though what it is made from does not: another version is coming."""
        loaded = self._models.get(name)
        if loaded is None:
            return True
        self._check_for_update(name, loaded)
        return loaded.before is not None

    def _check_for_update(self, name: str, loaded: ModelSlot) -> None:
        """Notice that the file was changed, load it aside, and begin to glide when it is there."""
        if self._begin is None:
            return
        now = perf_counter()
        if loaded.fresh is None and now - loaded.looked > LOOK_S:
            loaded.looked = now
            stamp = self._stamp(name)
            if stamp != loaded.stamp:
                loaded.fresh = (Call(lambda: self._load(name)), stamp)
        if loaded.fresh is None:
            return
        call, stamp = loaded.fresh
        try:
            model = call.wait(0.0)
        except TimedOut:
            return
        except Fault as fault:  # half written, perhaps: it is looked at again when it changes
            loaded.fresh = None
            loaded.stamp = stamp
            log.warning("%s (the previous version keeps playing)", fault)
            return
        loaded.before = loaded.model
        loaded.model = model
        loaded.since = float("nan")
        loaded.fresh = None
        loaded.stamp = stamp
        loaded.several = None
        loaded.tried = False
        log.info("%s: new version loaded", name)

    def _crossfade_versions(self, loaded: ModelSlot, given: Given, pixels: np.ndarray, t: float) -> np.ndarray:
        """Between the version before and this one; pictures of another size just come."""
        assert loaded.before is not None
        if loaded.since != loaded.since:
            loaded.since = t
        part = (t - loaded.since) / GLIDE_S
        if part >= 1.0 or part < 0.0:
            loaded.before = None
            return pixels
        old = self._drawn(loaded.before, given)
        assert isinstance(old, np.ndarray)
        if old.shape != pixels.shape:
            loaded.before = None
            return pixels
        weight = np.float32(part * part * (3.0 - 2.0 * part))
        between: np.ndarray = old + (pixels - old) * weight
        return between

    def _shown(self, scene: Scene, layer: Layer, frame: Frame) -> Image | None:
        """The newest picture of a layer of media."""
        key = (scene.number, layer.name)
        old = self._done_media.get(key)
        play = scene.plays.get(layer.name)
        if play is None or self._failed.get(key, 0.0) > perf_counter():
            return old
        try:
            medium = self._medium(key, layer)
            pixels = medium.picture(play, frame.size) if medium is not None else None
        except (Fault, MemoryError) as error:
            self._failed[key] = perf_counter() + RETRY_S
            self._drop(self._media.pop(key, None))
            self._log_once(str(error) or "out of memory", scene)
            return old
        if pixels is None or (old is not None and old.pixels is pixels):
            return old
        image = self._done_media[key] = Image(pixels, frame.t, 0.0, cut=True)
        return image

    def _medium(self, key: tuple[int, str], layer: Layer) -> Medium | None:
        """What a layer shows, opened aside where there are threads; None while it is on its way. Raises Fault."""
        medium = self._media.get(key)
        if medium is None:
            spec = layer.play
            begin = self._begin
            assert spec is not None
            medium = (
                create(spec, None)
                if begin is None
                else Call(lambda: create(spec, begin), late=lambda opened: opened.close())
            )
            self._media[key] = medium
        if isinstance(medium, Call):
            if not medium.done:
                return None
            medium = self._media[key] = medium.wait(0.0)
        return medium

    def _close_media(self, frame: Frame | None) -> None:
        """Close what belongs to scenes that are over."""
        playing = [scene.number for scene in frame.scenes] if frame is not None else []
        known = {*self._media, *self._done_media, *(key for key in self._failed if isinstance(key, tuple))}
        for key in [key for key in known if key[0] not in playing]:
            self._done_media.pop(key, None)
            self._failed.pop(key, None)
            self._drop(self._media.pop(key, None))

    @staticmethod
    def _drop(medium: Medium | Call[Medium] | None) -> None:
        if isinstance(medium, Call):
            medium.give_up()
        elif medium is not None:
            medium.close()

    @property
    def status(self) -> PainterStatus:
        """How it does; any thread may ask."""
        return self._status.peek() or PainterStatus()

    @property
    def provider(self) -> str:
        """Where its newest model runs."""
        return self.status.provider

    @property
    def rate_hz(self) -> float:
        """Images per second while the walks move."""
        return self.status.rate_hz

    def close(self) -> None:
        """Close all media; their threads end, and trials."""
        self._closed.set()
        self._close_media(None)

    def _log_once(self, why: str, scene: Scene) -> None:
        if why not in self._told:
            self._told.add(why)
            log.error("%s (%r keeps its last image)", why, scene.preset.title)


def _on_black(pixels: np.ndarray) -> np.ndarray:
    """What is seen of a picture (H, W, 4) uint8, with straight alpha, over black: (3, H, W) float32, 0..1."""
    colours = pixels[..., :3].transpose(2, 0, 1).astype(np.float32) / 255.0
    alpha = pixels[..., 3]
    if alpha.min(initial=255) < 255:  # what is clear may have any colour: text is white all over
        colours *= alpha.astype(np.float32) / 255.0
    return colours


def _pictures(scene: Scene, layer: Layer, images: Images) -> Given | None:
    """What a layer's model turns into its own picture; None while any of it is not there."""
    if not layer.each:
        return images.get((scene.number, layer.of or ""))
    found = tuple((name, images[scene.number, other]) for name, other in layer.each if (scene.number, other) in images)
    return found if len(found) == len(layer.each) else None


def _planes(image: Image) -> np.ndarray:
    """An image as (3, H, W) float32, 0..1."""
    pixels = image.host
    return _on_black(pixels) if pixels.dtype == np.uint8 else pixels
