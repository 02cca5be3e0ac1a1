"""What the renderer keeps of a scene between frames: its nodes, its images, and how its layers lie."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import moderngl

from performer.content.shaders import ShaderSpec
from performer.gl.render.compose import Compose
from performer.gl.render.node import Moment, Node
from performer.gl.render.texture import ImageTexture
from performer.types.blend_modes import BLEND_MODES
from performer.types.layer_params import number, place
from performer.types.params import Value


class LayerState:
    """One layer: where its picture comes from, its effects, and how it lies on those below.

    Parameters
    ----------
    image : ImageTexture | None
        Image of a generator's pictures, or None.
    source : Node | None
        The node of a shader source, or None.
    clear : bool, optional
        It shows nothing until its first picture comes: what lies below is seen.

    Attributes
    ----------
    mask
        Name of the layer whose brightness says where this one is seen, or None.
    """

    __slots__ = (
        "_key",
        "_mask",
        "_opacity",
        "_transform",
        "clear",
        "effects",
        "image",
        "mask",
        "mode",
        "name",
        "source",
    )

    def __init__(
        self, layer: Any, image: ImageTexture | None, source: Node | None, effects: list[Node], clear: bool = False
    ) -> None:
        self.name = layer.name
        self.image = image
        self.source = source
        self.effects = effects
        self.mode = layer.blend
        self.mask = layer.mask
        self.clear = clear
        self._opacity = f"{layer.name}.mix.opacity"
        self._transform = tuple(f"{layer.name}.transform.{end}" for end in ("x", "y", "scale", "angle"))
        self._key = (
            tuple(f"{layer.name}.key.{end}" for end in ("threshold", "softness", "color"))
            if BLEND_MODES[layer.blend].key
            else ()
        )
        self._mask = (f"{layer.name}.mask.amount", f"{layer.name}.mask.invert")

    def opacity(self, params: Mapping[str, Value]) -> float:
        return number(params, self._opacity, 1.0)

    def plain(self, params: Mapping[str, Value]) -> bool:
        """Whether it just covers the whole picture."""
        return self.mode == "normal" and self.mask is None and self.opacity(params) >= 1.0 and self.unmoved(params)

    def unmoved(self, params: Mapping[str, Value]) -> bool:
        """Whether it lies where it was drawn."""
        x, y, scale, angle = self._transform
        return (
            number(params, x, 0.0) == 0.0
            and number(params, y, 0.0) == 0.0
            and number(params, scale, 1.0) == 1.0
            and number(params, angle, 0.0) == 0.0
        )

    def lay(
        self,
        compose: Compose,
        params: Mapping[str, Value],
        *,
        below: moderngl.Texture | None,
        above: moderngl.Texture,
        stencil: moderngl.Texture | None,
        aspect: float,
        into: moderngl.Framebuffer,
        premultiplied: bool,
    ) -> None:
        """Draw `above`, this layer's picture, on `below`, or on black; its colours may be multiplied by its alpha."""
        x, y, scale, angle = self._transform
        at = place(
            number(params, x, 0.0),
            number(params, y, 0.0),
            number(params, scale, 1.0),
            number(params, angle, 0.0),
            aspect,
        )
        key = (0.0, 0.0, (0.0, 0.0, 0.0))
        if self._key:
            threshold, softness, color = self._key
            key = (number(params, threshold, 0.25), number(params, softness, 0.1), params.get(color, (0.0, 1.0, 0.0)))  # type: ignore[assignment]
        mask = (0.0, 0.0)
        if stencil is not None:
            mask = (number(params, self._mask[0], 1.0), float(number(params, self._mask[1], 0.0) >= 0.5))
        compose.mix(
            below,
            above,
            self.mode,
            self.opacity(params),
            into,
            place=at,
            key=key,
            stencil=stencil,
            mask=mask,
            premultiplied=premultiplied,
        )


def at_rest(preset: Any, prefix: str, spec: ShaderSpec) -> dict[str, Value]:
    """Inputs of a preset's shader that no route moves, and their values while no hand does."""
    routed = {route.target for route in preset.routes}
    base = preset.base
    addresses = {knob.name: f"{prefix}.{knob.name}" for knob in spec.inputs if knob.kind != "event"}
    return {name: base[address] for name, address in addresses.items() if address in base and address not in routed}


class SceneState:
    """One scene: its layers, its master chain and the transition that brought it; lives as long as the scene plays."""

    __slots__ = ("layers", "master", "moment", "stencils", "transition")

    def __init__(self, layers: list[LayerState], master: list[Node], transition: Node | None) -> None:
        self.layers = layers
        self.master = master
        self.transition = transition
        self.moment = Moment()
        masks = {layer.mask for layer in layers}
        self.stencils = [layer for layer in layers if layer.name in masks]

    @classmethod
    def build(
        cls, preset: Any, image: Callable[[bool], ImageTexture], node: Callable[[str, str], Node | None]
    ) -> SceneState:
        """Make all parts; a node that can't be had is left out.

        Parameters
        ----------
        image : callable
            Makes the place for a generator's pictures, which are shown whole or not.
        node : callable
            (shader, prefix of its parameters) -> Node or None.
        """

        def chain(effects: Any, layer: str) -> list[Node]:
            found = (node(effect.shader, f"{layer}.{effect.name}") for effect in effects)
            return [one for one in found if one is not None]

        masks = {layer.mask for layer in preset.layers}
        layers = [
            LayerState(
                layer,
                image(layer.fit == "contain") if layer.shader is None else None,
                node(layer.shader, f"{layer.name}.source") if layer.shader is not None else None,
                chain(layer.effects, layer.name),
                clear=at > 0 and layer.play is not None and layer.name not in masks,
            )
            for at, layer in enumerate(preset.layers)
        ]
        return cls(layers, chain(preset.master, "master"), node(preset.transition.shader, "transition.shader"))

    def nodes(self) -> list[Node]:
        """All nodes, in the order they are drawn."""
        found = []
        for layer in self.layers:
            if layer.source is not None:
                found.append(layer.source)
            found += layer.effects
        found += self.master
        return found + ([self.transition] if self.transition is not None else [])

    def costly(self, count: int) -> list[Node]:
        """The last `count` effects that are marked as costly."""
        if count <= 0:
            return []
        found = [node for node in self.nodes() if node.program.spec.costly and node.program.spec.kind == "filter"]
        return found[-count:]
