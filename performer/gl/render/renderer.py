"""Frame and images -> pixels: scenes, their layers and chains, the transition between two, the blackout."""

from __future__ import annotations

import logging
from collections.abc import Collection, Hashable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import moderngl
import numpy as np

from performer.content.shaders import ShaderSpec
from performer.gl.render.compose import Compose
from performer.gl.render.driver import is_software
from performer.gl.render.flash_limiter import FlashLimiter
from performer.gl.render.image_to_rgba import Converter
from performer.gl.render.node import Moment, Node
from performer.gl.render.pass_timer import Timer
from performer.gl.render.program import Program
from performer.gl.render.sampler_inputs import Samplers
from performer.gl.render.scene_state import LayerState, SceneState, at_rest
from performer.gl.render.target_pool import Alpha, Pool, Target
from performer.gl.render.texture import ImageTexture
from performer.system.errors import Fault, nearest
from performer.types.features import Features, Sound
from performer.types.frame import EMPTY, Frame, Scene
from performer.types.image import Image, Images

log = logging.getLogger(__name__)

_STARTED = datetime(2000, 1, 1)
PREVIEW_SCALE = 0.375  # of the picture's sides
PREVIEW_EVERY = 2  # frames
INSET = 0.26  # of the picture's sides
_REHEARSAL = -1  # number of a scene that is only drawn to warm up


class Renderer:
    """Draws frames; main thread, or whichever has the context.

    `skip` is how many effects marked costly are left out, the last ones first; `timer`, if there is one, times nodes.
    `limiter`, if there is one, keeps the picture from flashing too often.
    `live` is the newest picture, small, while `monitor` is on;
    `preview` is the newest picture of the deck that is not live, or None.

    Parameters
    ----------
    shaders : Mapping[str, ShaderSpec]
        All shaders by name.
    started : datetime, optional
        The date and time at frame time 0, for ISF's DATE; fixed unless given, so that renders repeat; None: by the
        computer's clock, which may be put right while it plays.
    deep : bool, optional
        Work in 16-bit floats, with a tone map and dither at the end; else in bytes: for software drawing, live.
    """

    def __init__(
        self,
        ctx: moderngl.Context,
        shaders: Mapping[str, ShaderSpec],
        started: datetime | None = _STARTED,
        deep: bool = True,
    ) -> None:
        self.ctx = ctx
        self.started = started
        self.timer: Timer | None = None
        self.limiter: FlashLimiter | None = None
        self._specs = dict(shaders)
        self._programs: dict[str, Program | None] = {}
        self._scene_states: dict[int, SceneState] = {}
        self._pool = Pool(ctx, deep)
        self._compose = Compose(ctx)
        self._converter = Converter(ctx, self._pool.picture)
        self.preview: Target | None = None
        self.monitor = False
        self.live: Target | None = None
        self._black = ctx.texture((3, 3), 4, bytes(36))
        self._white = ctx.texture((1, 1), 4, bytes([230] * 4))
        # Of the same kind as any other: drivers compile for what is bound.
        self._black.filter = (moderngl.LINEAR, moderngl.LINEAR)
        self._black.repeat_x = self._black.repeat_y = False
        self._samplers = Samplers(ctx)
        self._last_image: ImageTexture | None = None
        self._failed: set[Node] = set()
        self._settling = False  # nodes that are made now compile what they will draw with at rest
        self._eased = Moment()

    @property
    def way(self) -> str:
        """How pictures get here that were made on a card: "shared", "pinned" or "plain"; empty where none were."""
        return self._converter.ways.name

    # -- before and between frames

    def warm(self, preset: Any) -> None:
        """Compile a preset's shaders ahead and draw each once, small, so that changing to it costs no frame.

        Raises Fault at the first that does not compile.
        """
        self.ctx.enable_only(moderngl.NOTHING)
        for name in preset.shaders:
            if self._programs.get(name) is None:
                self._programs[name] = self._compile(self._spec(name))
        self._rehearse(preset)

    def _rehearse(self, preset: Any) -> None:
        """Draw the preset small: drivers finish compiling when they see what is bound and drawn to."""
        last = self._last_image
        self._last_image = None
        image = Image(np.zeros((3, 64, 64), np.float32), 0.0)
        images = {(_REHEARSAL, layer.name): image for layer in preset.layers}
        for resting in (False, True) if is_software(self.ctx) else (False,):  # for knobs that are turned, too
            self._settling = resting
            scene = Scene(_REHEARSAL, preset, preset.base if resting else EMPTY, {}, 0.0)
            frame = Frame(
                index=-1, t=0.0, dt=0.0, size=(152, 88), features=Features(), sound=Sound(), scene=scene, incoming=scene
            )
            for drawn in (self._draw_change(frame, scene, images, None), self._draw_scene(frame, scene, images, None)):
                assert drawn is not None
                screen = self._pool.take(frame.size)
                self._compose.rehearse(preset.layers, drawn.texture, self._black, screen.fbo)
                self._pool.give(drawn)
                self._pool.give(screen)
            self._last_image = None
            self._release(self._scene_states.pop(_REHEARSAL))
        self._settling = False
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
        for stage in self._scene_states.values():
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
        self._samplers.prepare(spec)
        return program

    def _node(self, preset: Any, name: str, prefix: str) -> Node | None:
        """A node of a preset for the shader, or None (logged once) when it can't be had."""
        if name not in self._programs:
            try:
                self._programs[name] = self._compile(self._spec(name))
            except Fault as fault:
                log.error("%s; left out", fault)
                self._programs[name] = None
        program = self._programs[name]
        if program is None:
            return None
        rest = at_rest(preset, prefix, program.spec) if program.settles else None
        return Node(self.ctx, self._pool, self._compose, program, prefix, self._black, rest, self._settling)

    # -- a frame

    def draw(self, frame: Frame, images: Images, target: moderngl.Framebuffer) -> None:
        """Draw a frame over the whole of `target`; nothing that is wrong with a shader or an image gets out of here.

        Parameters
        ----------
        images : Images
            The newest image of each (scene number, layer name).
        """
        self.ctx.enable_only(moderngl.NOTHING)
        if self.timer is not None:
            self.timer.frame()
        self._forget(frame)
        plain = (
            frame.blackout <= 0.0
            and target.size == frame.size
            and not (self._pool.deep or self.monitor or self.limiter)
        )
        direct = target if plain else None
        if frame.incoming is None:
            result = self._draw_scene(frame, frame.scene, images, direct)
        else:
            result = self._draw_change(frame, frame.incoming, images, direct)
        if result is not None:
            if self.monitor and frame.index % PREVIEW_EVERY == 0:
                self.live = self._small(self.live, frame)
                self._compose.copy(result.texture, self.live.fbo, 1.0 - min(max(frame.blackout, 0.0), 1.0))
            light = 1.0 - min(max(frame.blackout, 0.0), 1.0)
            if self.limiter is not None:
                self.limiter.look(result.texture, frame.dt or 1 / 60, light)  # a frozen show has no time
            self._show(result, target, light, frame.index)
            if self.limiter is not None:
                self.limiter.dim(target)
        if frame.preview is not None and frame.index % PREVIEW_EVERY == 0:
            self._draw_preview(frame, frame.preview, images)
        self._pool.step()

    def break_off(self) -> None:
        """Clear up after a frame that failed half drawn."""
        self._pool.give_all()
        if self.timer is not None:
            self.timer.end()

    def _show(self, picture: Target, target: moderngl.Framebuffer, gain: float, index: int) -> None:
        """Draw a picture over `target`, and give it back."""
        if self._pool.deep:
            self._compose.present(picture.texture, target, gain, index)
        else:
            self._compose.copy(picture.texture, target, gain)
        self._pool.give(picture)

    def _draw_preview(self, frame: Frame, scene: Scene, images: Images) -> None:
        """The scene of the deck that is not live, small."""
        self.preview = self._small(self.preview, frame)
        drawn = self._draw_scene(replace(frame, size=self.preview.size), scene, images, None)
        assert drawn is not None
        self._show(drawn, self.preview.fbo, 1.0, frame.index)

    def _small(self, old: Target | None, frame: Frame) -> Target:
        """A target of the preview's size, the old one if it has it."""
        size = max(2, round(frame.size[0] * PREVIEW_SCALE)), max(2, round(frame.size[1] * PREVIEW_SCALE))
        if old is not None and old.size == size:
            return old
        if old is not None:
            old.release()
        return Target(self.ctx, size, "f1")

    def draw_inset(self, target: moderngl.Framebuffer, size: tuple[int, int]) -> None:
        """Draw the preview into the lower right corner of `target`, which has `size` pixels."""
        if self.preview is None:
            return
        width = round(size[0] * INSET)
        height = round(size[1] * INSET)
        rim = max(1, size[1] // 360)
        gap = round(size[1] * 0.025)
        whole = target.viewport
        for texture, more in ((self._white, rim), (self.preview.texture, 0)):
            target.viewport = (size[0] - width - gap - more, gap - more, width + 2 * more, height + 2 * more)
            self._compose.copy(texture, target)
        target.viewport = whole

    def _draw_change(
        self, frame: Frame, incoming: Scene, images: Images, into: moderngl.Framebuffer | None
    ) -> Target | None:
        start = self._draw_scene(frame, frame.scene, images, None)
        end = self._draw_scene(frame, incoming, images, None)
        assert start is not None and end is not None
        stage = self._scene_states[incoming.number]
        node = None if frame.renewal else stage.transition
        result = None
        progress = min(max(frame.progress, 0.0), 1.0)
        drawn = False
        if node is not None:
            node.set("progress", progress)
            both = {"startImage": start.texture, "endImage": end.texture}
            drawn, result = self._draw_node(node, frame, incoming, stage, both, start, into)
        if not drawn:
            result = self._take(frame.size, Alpha.OPAQUE)
            self._compose.mix(start.texture, end.texture, "normal", progress, result.fbo)
        self._pool.give(start)
        self._pool.give(end)
        return result

    def _draw_scene(
        self, frame: Frame, scene: Scene, images: Images, into: moderngl.Framebuffer | None
    ) -> Target | None:
        """The scene's picture, to be given back to the pool, or None when it could be drawn to `into`."""
        stage = self._stage(scene)
        moment = stage.moment
        moment.size, moment.time, moment.dt, moment.date = frame.size, scene.t, frame.dt, self._date(frame.t)
        moment.bpm = frame.features.bpm
        moment.beat = frame.features.beat
        left_out = stage.costly(frame.effort.skip)
        master = [node for node in stage.master if node not in left_out]
        stencils = {
            layer.name: self._draw_stencil(frame, scene, stage, layer, images, left_out) for layer in stage.stencils
        }
        direct = into if not master and len(stage.layers) == 1 else None
        aspect = frame.size[0] / frame.size[1]
        below = None
        for at, layer in enumerate(stage.layers):
            if at > 0 and layer.opacity(scene.params) <= 0.0:
                continue
            plain = at == 0 and layer.plain(scene.params)
            above = stencils.get(layer.name) or self._draw_layer(
                frame, scene, stage, layer, images, left_out, direct if plain else None
            )
            if plain:
                if above is None:
                    return None
                if above.alpha is Alpha.OPAQUE:
                    below = above
                    continue
            assert above is not None
            filtered = above.size != frame.size or not layer.unmoved(scene.params)
            if above.alpha is Alpha.STRAIGHT and filtered:
                above = self._premultiplied(above)
            stencil = stencils.get(layer.mask) if layer.mask is not None else None
            last = into if not master and at == len(stage.layers) - 1 else None
            mixed = None if last is not None else self._take(frame.size, Alpha.OPAQUE)
            layer.lay(
                self._compose,
                scene.params,
                below=None if below is None else below.texture,
                above=above.texture,
                stencil=stencil.texture if stencil is not None else None,
                aspect=aspect,
                into=last if last is not None else mixed.fbo,  # type: ignore[union-attr]
                premultiplied=above.alpha is Alpha.PREMULTIPLIED,
            )
            self._give_all((below, above), stencils.values())
            below = mixed
            if mixed is None:
                break
        self._give_all(stencils.values(), (below,))
        if below is None:
            return None
        return self._on_black(frame, self._run(frame, scene, stage, master, below, into))

    def _stage(self, scene: Scene) -> SceneState:
        """What a scene is drawn with, built when it is drawn first."""
        stage = self._scene_states.get(scene.number)
        if stage is None:
            stage = self._scene_states[scene.number] = SceneState.build(
                scene.preset, partial(ImageTexture, self.ctx, self._converter), partial(self._node, scene.preset)
            )
        return stage

    def _give_all(self, spent: Iterable[Target | None], kept: Collection[Target | None]) -> None:
        """Back to the pool with targets that are no longer looked at, but for those that still are."""
        for target in spent:
            if target is not None and target not in kept:
                self._pool.give(target)

    def _on_black(self, frame: Frame, drawn: Target | None) -> Target | None:
        """The scene's picture without holes, in place of one that may have some."""
        if drawn is None or drawn.alpha is Alpha.OPAQUE:
            return drawn
        ground = self._take(frame.size, Alpha.OPAQUE)
        self._compose.mix(
            None, drawn.texture, "normal", 1.0, ground.fbo, premultiplied=drawn.alpha is Alpha.PREMULTIPLIED
        )
        self._pool.give(drawn)
        return ground

    def _draw_stencil(
        self,
        frame: Frame,
        scene: Scene,
        stage: SceneState,
        layer: LayerState,
        images: Images,
        left_out: list[Node],
    ) -> Target:
        """A layer's picture as a mask: its colours are multiplied by its alpha."""
        drawn = self._draw_layer(frame, scene, stage, layer, images, left_out, None)
        assert drawn is not None
        return self._premultiplied(drawn) if drawn.alpha is Alpha.STRAIGHT else drawn

    def _draw_layer(
        self,
        frame: Frame,
        scene: Scene,
        stage: SceneState,
        layer: LayerState,
        images: Images,
        left_out: list[Node],
        into: moderngl.Framebuffer | None,
    ) -> Target | None:
        effects = [node for node in layer.effects if node not in left_out] if left_out else layer.effects
        source: Target | None = None
        if layer.image is not None:
            texture = layer.image.draw(images.get((scene.number, layer.name)), frame.t, frame.dt, frame.size)
            if texture is not None:
                self._remember(layer.image)
            picture = None if texture is None and layer.clear else self._any_image()
            if picture is not None:
                shown = self._run(frame, scene, stage, effects, picture, into)
                return self._copied(picture) if shown is picture and texture is None else shown
        elif layer.source is not None:
            last = None if effects else into
            done, source = self._draw_node(layer.source, frame, scene, stage, {}, self._any_image(), last)
            if done and source is None:
                return None
        if source is None and layer.clear:
            source = self._take(frame.size, Alpha.PREMULTIPLIED)
            source.fbo.clear()
        elif source is None:
            source = self._take(frame.size, Alpha.OPAQUE)
            self._compose.dark(source.fbo)
        return self._run(frame, scene, stage, effects, source, into)

    def _run(
        self,
        frame: Frame,
        scene: Scene,
        stage: SceneState,
        nodes: list[Node],
        now: Target,
        into: moderngl.Framebuffer | None,
    ) -> Target | None:
        """Draw a chain of filters over a picture, which goes back to the pool if it came from there."""
        for node in nodes:
            last = into if node is nodes[-1] else None
            drawn, picture = self._draw_node(node, frame, scene, stage, {"inputImage": now.texture}, now, last)
            if not drawn:
                continue
            self._pool.give(now)
            if picture is None:
                return None
            now = picture
        return now

    def _draw_node(
        self,
        node: Node,
        frame: Frame,
        scene: Scene,
        stage: SceneState,
        given: dict[str, moderngl.Texture],
        other: Target | None,
        into: moderngl.Framebuffer | None,
    ) -> tuple[bool, Target | None]:
        """Whether it was drawn, and the picture; no picture where it was drawn to `into`.

        given  the textures of its usual image inputs; other, what the rest of them see, or None for black
        """
        if node in self._failed or node.scale <= 0.0:
            return False, None
        timer = self.timer if self.timer is not None and self.timer.on else None
        spec = node.program.spec
        suited = other
        try:
            if other is not None and spec.images:
                suited = self._suited(other, spec)
            if suited is not other and suited is not None:
                given = dict.fromkeys(given, suited.texture)
            textures = self._samplers.fill(spec, frame, given, suited.texture if suited is not None else self._black)
            moment = stage.moment if node.scale >= 1.0 else self._smaller(stage.moment, node.scale)
            alpha = _drawn_alpha(node.program, other)
            last = into if moment is stage.moment and alpha is Alpha.OPAQUE else None
            picture = node.draw(moment, scene.params, textures, last, timer)
            if picture is not None:
                picture.alpha = alpha
            return True, picture
        except Exception:
            # Out of memory, a driver's whim: the show goes on without this node.
            log.exception("%s: drawing failed; left out", node.program.spec.where)
            self._failed.add(node)
            if timer is not None:
                timer.end()
            return False, None
        finally:
            if suited is not None and suited is not other:
                self._pool.give(suited)

    def _suited(self, picture: Target, spec: ShaderSpec) -> Target:
        """The picture with its alpha as a shader expects it: itself, or one to be given back to the pool."""
        if spec.alpha == "premultiplied" and picture.alpha is Alpha.STRAIGHT:
            return self._premultiplied(picture, keep=True)
        if spec.alpha != "premultiplied" and picture.alpha is Alpha.PREMULTIPLIED:
            straight = self._pool.take(picture.size, picture.dtype)
            straight.alpha = Alpha.STRAIGHT
            self._compose.straighten(picture.texture, straight.fbo)
            return straight
        return picture

    def _premultiplied(self, picture: Target, keep: bool = False) -> Target:
        """A straight picture with its colours multiplied by its alpha; keep: do not give the straight one back."""
        made = self._pool.take(picture.size, picture.dtype)
        made.alpha = Alpha.PREMULTIPLIED
        self._compose.premultiply(picture.texture, made.fbo)
        if not keep:
            self._pool.give(picture)
        return made

    def _take(self, size: tuple[int, int], alpha: Alpha) -> Target:
        """A target of the pool's for a picture with such an alpha."""
        target = self._pool.take(size)
        target.alpha = alpha
        return target

    def _smaller(self, moment: Moment, scale: float) -> Moment:
        eased = self._eased
        eased.size = (max(2, round(moment.size[0] * scale)), max(2, round(moment.size[1] * scale)))
        eased.time = moment.time
        eased.dt = moment.dt
        eased.date = moment.date
        eased.bpm = moment.bpm
        eased.beat = moment.beat
        return eased

    def _copied(self, picture: Target) -> Target:
        """A picture in a target of the pool's: one that stands in belongs to another layer, which may release it."""
        copy = self._pool.take(picture.size, picture.dtype)
        copy.alpha = picture.alpha
        self._compose.copy(picture.texture, copy.fbo)
        return copy

    def _any_image(self) -> Target | None:
        """The newest picture of any layer's generator, or None."""
        return self._last_image.picture if self._last_image is not None else None

    def costs(self, least: int = 1) -> dict[Hashable, float]:
        """Seconds of each node that could still give something up, where it was timed at least so many times."""
        timed = self.timer.costs(least) if self.timer is not None else {}
        return {node: cost for node, cost in timed.items() if isinstance(node, Node) and not node.eased}

    def throttle(self, node: Hashable) -> str:
        """Let a node that is too slow draw smaller, or leave it out; says which."""
        assert isinstance(node, Node)
        node.throttle()
        if self.timer is not None:
            self.timer.forget(node)
        spec = node.program.spec
        return f"{spec.name} is too slow: " + (
            f"drawn at {node.scale:.0%} of the resolution" if node.scale > 0.0 else "left out"
        )

    def _date(self, t: float) -> tuple[float, float, float, float]:
        now = self.started + timedelta(seconds=t) if self.started is not None else datetime.now()
        seconds = now.hour * 3600 + now.minute * 60 + now.second + now.microsecond * 1e-6
        return float(now.year), float(now.month), float(now.day), seconds

    # -- what scenes leave behind

    def _remember(self, image: ImageTexture) -> None:
        """The newest picture of any model stands in for one that has not come yet."""
        old = self._last_image
        self._last_image = image
        if (
            old is not None
            and old is not image
            and not any(layer.image is old for stage in self._scene_states.values() for layer in stage.layers)
        ):
            old.release()

    def _forget(self, frame: Frame) -> None:
        """Release what belongs to scenes that are over."""
        if len(self._scene_states) <= 1 and frame.scene.number in self._scene_states:
            return
        playing = [scene.number for scene in frame.scenes]
        for number in [n for n in self._scene_states if n not in playing]:
            self._release(self._scene_states.pop(number))

    def _release(self, stage: SceneState) -> None:
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
        for stage in self._scene_states.values():
            self._release(stage)
        self._scene_states.clear()
        for kept in (self._last_image, self.preview, self.live):
            if kept is not None:
                kept.release()
        for program in self._programs.values():
            if program is not None:
                program.release()
        for part in (self._samplers, self._black, self._white, self._pool, self._compose, self._converter):
            part.release()
        if self.limiter is not None:
            self.limiter.release()
        if self.timer is not None:
            self.timer.release()


def _drawn_alpha(program: Program, read: Target | None) -> Alpha:
    """What is known of the alpha that a program draws from a picture."""
    spec = program.spec
    if program.opaque or spec.kind == "transition":  # between two scenes, which are opaque
        return Alpha.OPAQUE
    if spec.alpha != "premultiplied":
        return Alpha.STRAIGHT
    keeps = spec.kind == "filter" and read is not None and read.alpha is Alpha.OPAQUE
    return Alpha.OPAQUE if keeps else Alpha.PREMULTIPLIED
