"""Frame and images -> pixels: scenes, their layers and chains, the transition between two, the blackout."""

from __future__ import annotations

import logging
from collections.abc import Hashable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import moderngl
import numpy as np

from performer.errors import Fault, nearest
from performer.frame import EMPTY, Features, Frame, Image, Images, Scene, Sound
from performer.gl.chain import Moment, Node
from performer.gl.compose import MODES, Compose
from performer.gl.program import Program
from performer.gl.targets import Pool, Target
from performer.gl.texture import Converter, ImageTexture, SoundTexture, picture
from performer.gl.timing import Timer
from performer.isf import ShaderSpec

log = logging.getLogger(__name__)

_STARTED = datetime(2000, 1, 1)
_REHEARSAL = -1  # number of a scene that is only drawn to warm up


class _Layer:
    """What one layer of a scene keeps between frames."""

    __slots__ = ("effects", "image", "mode", "model", "name", "opacity", "shader", "source")

    def __init__(self, layer: Any, image: ImageTexture | None, source: Node | None, effects: list[Node]) -> None:
        self.name, self.image, self.source, self.effects = layer.name, image, source, effects
        self.mode = MODES[layer.blend]
        self.opacity = f"{layer.name}.mix.opacity"


class _Stage:
    """What one scene keeps between frames; nodes live as long as the scene is in the frame."""

    __slots__ = ("layers", "master", "moment", "transition")

    def __init__(self, layers: list[_Layer], master: list[Node], transition: Node | None) -> None:
        self.layers, self.master, self.transition, self.moment = layers, master, transition, Moment()

    def nodes(self) -> list[Node]:
        """All nodes, in the order they are drawn."""
        found = []
        for layer in self.layers:
            if layer.source is not None:
                found.append(layer.source)
            found += layer.effects
        found += self.master
        return found + ([self.transition] if self.transition is not None else [])


class Renderer:
    """Draws frames; main thread, or whichever has the context.

    shaders  all shaders by name
    started  the date and time at frame time 0, for ISF's DATE; fixed unless given, so that renders repeat

    `skip` is how many effects marked costly are left out, the last ones first; `timer`, if there is one, times nodes.
    """

    def __init__(self, ctx: moderngl.Context, shaders: Mapping[str, ShaderSpec], started: datetime = _STARTED) -> None:
        self.ctx, self.started, self.skip = ctx, started, 0
        self.timer: Timer | None = None
        self._specs = dict(shaders)
        self._programs: dict[str, Program | None] = {}
        self._stages: dict[int, _Stage] = {}
        self._pool, self._compose, self._converter = Pool(ctx), Compose(ctx), Converter(ctx)
        self._black = ctx.texture((3, 3), 4, bytes(36))
        # Of the same kind as any other: drivers compile for what is bound.
        self._black.filter = (moderngl.LINEAR, moderngl.LINEAR)
        self._black.repeat_x = self._black.repeat_y = False
        self._sounds: dict[tuple[bool, int, bool], SoundTexture] = {}
        self._pictures: dict[Path, moderngl.Texture] = {}
        self._last_image: ImageTexture | None = None
        self._failed: set[Node] = set()
        self._eased = Moment()

    # -- before and between frames

    def warm(self, preset: Any) -> None:
        """Compile a preset's shaders ahead and draw each once, small, so that changing to it costs no frame.

        Raises Fault at the first that does not compile.
        """
        self.ctx.enable_only(moderngl.NOTHING)
        names = [layer.shader for layer in preset.layers if layer.shader is not None]
        names += [node.shader for layer in preset.layers for node in layer.effects]
        names += [node.shader for node in preset.master] + [preset.transition.shader]
        for name in dict.fromkeys(names):
            if self._programs.get(name) is None:
                self._programs[name] = self._compile(self._spec(name))
        self._rehearse(preset)

    def _rehearse(self, preset: Any) -> None:
        """Draw the preset once, small: drivers finish compiling when they see what is bound and drawn to."""
        last, self._last_image = self._last_image, None
        scene = Scene(_REHEARSAL, preset, EMPTY, {}, 0.0)
        frame = Frame(-1, 0.0, 0.0, (152, 88), Features(), Sound(), scene, incoming=scene)
        image = Image(np.zeros((3, 64, 64), np.float32), 0.0)
        images = {(_REHEARSAL, layer.name): image for layer in preset.layers}
        for drawn in (self._draw_change(frame, scene, images, None), self._draw_scene(frame, scene, images, None)):
            assert drawn is not None
            screen = self._pool.take(frame.size)
            self._compose.copy(drawn.texture, screen.fbo)
            self._pool.give(drawn)
            self._pool.give(screen)
        self._last_image = None
        self._release(self._stages.pop(_REHEARSAL))
        self._last_image = last

    def reload(self, spec: ShaderSpec) -> None:
        """Put a new version of a shader in the old one's place; buffers and parameters stay.

        Raises Fault with file and line when it does not compile; the old one then goes on playing.
        """
        old = self._programs.get(spec.name)
        if spec.name not in self._programs:  # nobody draws with it yet
            self._specs[spec.name] = spec
            return
        new = self._compile(spec)
        self._specs[spec.name] = spec
        self._programs[spec.name] = new
        for stage in self._stages.values():
            for node in stage.nodes():
                if node.program is old:
                    node.adopt(new)
                    node.scale = 1.0
                    if self.timer is not None:
                        self.timer.forget(node)
        if old is not None:
            old.release()

    def _spec(self, name: str) -> ShaderSpec:
        if name not in self._specs:
            raise Fault(f"no shader {name!r}{nearest(name, list(self._specs))}")
        return self._specs[name]

    def _compile(self, spec: ShaderSpec) -> Program:
        program = Program(self.ctx, spec)
        for _, path in spec.imported:
            if path not in self._pictures:
                self._pictures[path] = picture(self.ctx, path)
        return program

    def _node(self, name: str, prefix: str) -> Node | None:
        """A node for the shader, or None (logged once) when it can't be had."""
        if name not in self._programs:
            try:
                self._programs[name] = self._compile(self._spec(name))
            except Fault as fault:
                log.error("%s; left out", fault)
                self._programs[name] = None
        program = self._programs[name]
        return None if program is None else Node(self.ctx, self._pool, self._compose, program, prefix, self._black)

    def _build(self, scene: Scene) -> _Stage:
        preset = scene.preset
        layers = []
        for layer in preset.layers:
            image = source = None
            if layer.model is not None:
                image = ImageTexture(self.ctx, self._converter)
            else:
                source = self._node(layer.shader, f"{layer.name}.source")
            layers.append(_Layer(layer, image, source, self._nodes(layer.effects, layer.name)))
        return _Stage(layers, self._nodes(preset.master, "master"),
                      self._node(preset.transition.shader, "transition.shader"))

    def _nodes(self, effects: Any, layer: str) -> list[Node]:
        found = (self._node(effect.shader, f"{layer}.{effect.name}") for effect in effects)
        return [node for node in found if node is not None]

    # -- a frame

    def draw(self, frame: Frame, images: Images, target: moderngl.Framebuffer) -> None:
        """Draw a frame over the whole of `target`; nothing that is wrong with a shader or an image gets out of here.

        images  the newest image of each (scene number, layer name)
        """
        self.ctx.enable_only(moderngl.NOTHING)
        if self.timer is not None:
            self.timer.frame()
        self._forget(frame)
        direct = target if frame.blackout <= 0.0 and target.size == frame.size else None
        if frame.incoming is None:
            result = self._draw_scene(frame, frame.scene, images, direct)
        else:
            result = self._draw_change(frame, frame.incoming, images, direct)
        if result is not None:
            self._compose.copy(result.texture, target, 1.0 - min(max(frame.blackout, 0.0), 1.0))
            self._pool.give(result)
        self._pool.step()

    def _draw_change(self, frame: Frame, incoming: Scene, images: Images,
                     into: moderngl.Framebuffer | None) -> Target | None:
        start = self._draw_scene(frame, frame.scene, images, None)
        end = self._draw_scene(frame, incoming, images, None)
        assert start is not None and end is not None
        stage = self._stages[incoming.number]
        node, result = stage.transition, None
        progress = min(max(frame.progress, 0.0), 1.0)
        drawn = False
        if node is not None:
            node.set("progress", progress)
            both = {"startImage": start.texture, "endImage": end.texture}
            drawn, result = self._draw_node(node, frame, incoming, stage, both, start.texture, into)
        if not drawn:
            result = self._pool.take(frame.size)
            self._compose.mix(start.texture, end.texture, 0, progress, result.fbo)
        self._pool.give(start)
        self._pool.give(end)
        return result

    def _draw_scene(self, frame: Frame, scene: Scene, images: Images,
                    into: moderngl.Framebuffer | None) -> Target | None:
        """The scene's picture, to be given back to the pool, or None when it could be drawn to `into`."""
        stage = self._stages.get(scene.number)
        if stage is None:
            stage = self._stages[scene.number] = self._build(scene)
        moment = stage.moment
        moment.size, moment.time, moment.dt, moment.date = frame.size, scene.t, frame.dt, self._date(frame.t)
        left_out = self._left_out(stage)
        master = [node for node in stage.master if node not in left_out]
        direct = into if not master and len(stage.layers) == 1 else None
        below: Target | None = None
        for at, layer in enumerate(stage.layers):
            opacity = float(scene.params.get(layer.opacity, 1.0))  # type: ignore[arg-type]
            plain = at == 0 and layer.mode == 0 and opacity >= 1.0
            if opacity <= 0.0 and at > 0:
                continue
            above = self._draw_layer(frame, scene, stage, layer, images, left_out, direct if plain else None)
            if plain:
                if above is None:
                    return None
                below = above
                continue
            assert above is not None
            last = into if not master and at == len(stage.layers) - 1 else None
            mixed = None if last is not None else self._pool.take(frame.size)
            self._compose.mix(self._black if below is None else below.texture, above.texture, layer.mode, opacity,
                              last if last is not None else mixed.fbo)  # type: ignore[union-attr]
            for spent in (below, above):
                if spent is not None:
                    self._pool.give(spent)
            if mixed is None:
                return None
            below = mixed
        assert below is not None
        return self._run(frame, scene, stage, master, below, into)

    def _draw_layer(self, frame: Frame, scene: Scene, stage: _Stage, layer: _Layer, images: Images,
                    left_out: list[Node], into: moderngl.Framebuffer | None) -> Target | None:
        effects = [node for node in layer.effects if node not in left_out] if left_out else layer.effects
        source: Target | None = None
        if layer.image is not None:
            texture = layer.image.draw(images.get((scene.number, layer.name)), frame.t, frame.dt, frame.size)
            if texture is not None:
                self._remember(layer.image)
            elif self._last_image is not None:
                texture = self._last_image.texture
            if texture is not None:
                return self._run(frame, scene, stage, effects, texture, into)
        elif layer.source is not None:
            last = None if effects else into
            drawn, source = self._draw_node(layer.source, frame, scene, stage, {}, self._any_image(), last)
            if drawn and source is None:
                return None
        if source is None:
            source = self._pool.take(frame.size)
            self._compose.dark(source.fbo)
        return self._run(frame, scene, stage, effects, source, into)

    def _run(self, frame: Frame, scene: Scene, stage: _Stage, nodes: list[Node], first: Target | moderngl.Texture,
             into: moderngl.Framebuffer | None) -> Target | None:
        """Draw a chain of filters; `first` goes back to the pool if it came from there."""
        now: Target | None = first if isinstance(first, Target) else None
        texture = first.texture if isinstance(first, Target) else first
        for node in nodes:
            last = into if node is nodes[-1] else None
            drawn, picture = self._draw_node(node, frame, scene, stage, {"inputImage": texture}, texture, last)
            if not drawn:
                continue
            if now is not None:
                self._pool.give(now)
            if picture is None:
                return None
            now, texture = picture, picture.texture
        if now is None:
            now = self._pool.take(frame.size)
            self._compose.copy(texture, now.fbo)
        return now

    def _draw_node(self, node: Node, frame: Frame, scene: Scene, stage: _Stage, given: dict[str, moderngl.Texture],
                   other: moderngl.Texture, into: moderngl.Framebuffer | None) -> tuple[bool, Target | None]:
        """Whether it was drawn, and the picture; no picture where it was drawn to `into`."""
        if node in self._failed or node.scale <= 0.0:
            return False, None
        try:
            textures = self._textures(node, frame, given, other)
            timer = self.timer if self.timer is not None and self.timer.on else None
            moment = stage.moment if node.scale >= 1.0 else self._smaller(stage.moment, node.scale)
            return True, node.draw(moment, scene.params, textures, into if moment is stage.moment else None, timer)
        except Exception:
            # Out of memory, a driver's whim: the show goes on without this node.
            log.exception("%s: drawing failed; left out", node.program.spec.where)
            self._failed.add(node)
            return False, None

    def _textures(self, node: Node, frame: Frame, given: dict[str, moderngl.Texture],
                  other: moderngl.Texture) -> dict[str, moderngl.Texture]:
        """What a node's samplers show; image inputs beyond the usual ones see `other`."""
        spec = node.program.spec
        for name in spec.images:
            if name not in given:
                given[name] = other
        for sound in spec.audio:
            key = (sound.spectrum, sound.width, sound.both)
            shown = self._sounds.get(key)
            if shown is None:
                shown = self._sounds[key] = SoundTexture(self.ctx, sound)
            shown.show(frame.sound, frame.index)
            given[sound.name] = shown.texture
        for name, path in spec.imported:
            given[name] = self._pictures[path]
        return given

    def _smaller(self, moment: Moment, scale: float) -> Moment:
        eased = self._eased
        eased.size = (max(2, round(moment.size[0] * scale)), max(2, round(moment.size[1] * scale)))
        eased.time, eased.dt, eased.date = moment.time, moment.dt, moment.date
        return eased

    def _any_image(self) -> moderngl.Texture:
        image = self._last_image.texture if self._last_image is not None else None
        return image if image is not None else self._black

    def costs(self, least: int = 1) -> dict[Hashable, float]:
        """Seconds of each node that could still give something up, where it was timed at least so many times."""
        timed = self.timer.costs(least) if self.timer is not None else {}
        return {node: cost for node, cost in timed.items() if isinstance(node, Node) and not node.eased}

    def ease(self, node: Hashable) -> str:
        """Let a node that is too slow draw smaller, or leave it out; says which."""
        assert isinstance(node, Node)
        node.ease()
        if self.timer is not None:
            self.timer.forget(node)
        spec = node.program.spec
        return f"{spec.name} is too slow here: " + (
            f"drawn at {node.scale:.0%} of the resolution" if node.scale > 0.0 else "left out")

    def _left_out(self, stage: _Stage) -> list[Node]:
        if self.skip <= 0:
            return []
        costly = [node for node in stage.nodes() if node.program.spec.costly and node.program.spec.kind == "filter"]
        return costly[-self.skip:]

    def _date(self, t: float) -> tuple[float, float, float, float]:
        now = self.started + timedelta(seconds=t)
        seconds = now.hour * 3600 + now.minute * 60 + now.second + now.microsecond * 1e-6
        return float(now.year), float(now.month), float(now.day), seconds

    # -- what scenes leave behind

    def _remember(self, image: ImageTexture) -> None:
        """The newest picture of any model stands in for one that has not come yet."""
        old, self._last_image = self._last_image, image
        if old is not None and old is not image and not any(
                layer.image is old for stage in self._stages.values() for layer in stage.layers):
            old.release()

    def _forget(self, frame: Frame) -> None:
        """Release what belongs to scenes that are over."""
        incoming = frame.incoming.number if frame.incoming is not None else frame.scene.number
        if len(self._stages) <= 1 and frame.scene.number in self._stages:
            return
        for number in [n for n in self._stages if n not in (frame.scene.number, incoming)]:
            self._release(self._stages.pop(number))

    def _release(self, stage: _Stage) -> None:
        for node in stage.nodes():
            node.release()
            self._failed.discard(node)
            if self.timer is not None:
                self.timer.forget(node)
        for layer in stage.layers:
            if layer.image is not None and layer.image is not self._last_image:
                layer.image.release()

    def release(self) -> None:
        """Release everything this renderer made; the context stays."""
        for stage in self._stages.values():
            self._release(stage)
        self._stages.clear()
        if self._last_image is not None:
            self._last_image.release()
        for program in self._programs.values():
            if program is not None:
                program.release()
        for sound in self._sounds.values():
            sound.release()
        for texture in (*self._pictures.values(), self._black):
            texture.release()
        for part in (self._pool, self._compose, self._converter):
            part.release()
        if self.timer is not None:
            self.timer.release()
