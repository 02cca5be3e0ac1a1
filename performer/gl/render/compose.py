"""The few passes of our own: copy, lay one layer on another, the last one to the screen."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import product
from typing import Any

import moderngl

from performer.content.shaders.glsl import VERTEX_SOURCE
from performer.gl.render.wait import after_pass
from performer.types.blend_modes import BLEND_MODES
from performer.types.layer_params import AS_IT_IS, Snapshot

_COPY = """\
#version 330 core
in vec2 isf_FragNormCoord;
out vec4 pixel;
uniform sampler2D image;
uniform float gain;
void main() { pixel = texture(image, isf_FragNormCoord) * gain; }
"""
# A picture as large as what is drawn need not be filtered.
_FETCH = _COPY.replace(
    "texture(image, isf_FragNormCoord)", "texelFetch(image, ivec2(isf_FragNormCoord * vec2(textureSize(image, 0))), 0)"
)
# The mode itself is a row of BLEND_MODES.
# What PLACED and MASKED do not ask for is not there: where the processor draws, even a branch not taken costs.
# GROUND: there is something below.
# LIKE: all are as large as what is drawn, and need not be filtered where they lie as they are.
# PREMULTIPLIED: the colours of what lies above are multiplied by its alpha. A stencil's always are.
_MIX = """\
#version 330 core
#define PLACED %d
#define MASKED %d
#define LIKE %d
#define GROUND %d
#define PREMULTIPLIED %d
in vec2 isf_FragNormCoord;
out vec4 pixel;
uniform sampler2D below, above, stencil;
uniform float opacity;
uniform vec4 turn;
uniform vec2 shift;
uniform vec2 key;      // threshold, softness
uniform vec3 key_color;
uniform vec2 mask;     // amount, invert
const vec3 LUMA = vec3(0.2126, 0.7152, 0.0722);
vec2 hue(vec3 c) { return vec2(dot(c, vec3(-0.1146, -0.3854, 0.5)), dot(c, vec3(0.5, -0.4542, -0.0458))); }
vec4 here(sampler2D image) {
#if LIKE
  return texelFetch(image, ivec2(gl_FragCoord.xy), 0);
#else
  return texture(image, isf_FragNormCoord);
#endif
}
void main() {
#if GROUND
  vec3 a = max(here(below).rgb, 0.0);
#else
  vec3 a = vec3(0.0);
#endif
  vec2 at = isf_FragNormCoord;
  float seen = opacity;
#if PLACED
  at = vec2(dot(turn.xy, at - 0.5), dot(turn.zw, at - 0.5)) + shift;
  vec2 rim = (0.5 - abs(at - 0.5)) / max(fwidth(at), vec2(1e-6));
  seen *= clamp(min(rim.x, rim.y) + 0.5, 0.0, 1.0);
  vec4 top = texture(above, at);
#else
  vec4 top = here(above);
#endif
#if PREMULTIPLIED
  top.rgb /= max(top.a, 1e-4);
#endif
  vec3 b = max(top.rgb, 0.0), c = b;
  seen *= clamp(top.a, 0.0, 1.0);
#if MASKED
  vec4 hole = here(stencil);
  float light = clamp(dot(hole.rgb, LUMA), 0.0, 1.0);
  seen *= mix(1.0, mix(light, 1.0 - light, mask.y), mask.x);
#endif
  %s
  pixel = vec4(%s, 1.0);
}
"""
# Brighter than white keeps its hue and bleaches the more the brighter it is; what is not stays exactly as it is.
TAME = """\
vec3 tame(vec3 c) {
  float most = max(c.r, max(c.g, c.b));
  return most > 1.0 ? mix(c / most, vec3(1.0), 1.0 - exp(0.6 - 0.6 * most)) : c;
}
"""
# The dither is J. Jimenez' interleaved gradient noise ("Next Generation Post Processing in Call of Duty", 2014).
_PRESENT = f"""\
#version 330 core
in vec2 isf_FragNormCoord;
out vec4 pixel;
uniform sampler2D image;
uniform float gain;
uniform float shake;
{TAME}
void main() {{
  vec3 c = tame(max(texture(image, isf_FragNormCoord).rgb, 0.0) * gain);
  float noise = fract(52.9829189 * fract(dot(gl_FragCoord.xy + shake, vec2(0.06711056, 0.00583715))));
  pixel = vec4(c + (noise - 0.5) * (0.98 / 255.0), 1.0);  // less than a step: black stays black
}}
"""
_DARK = """\
#version 330 core
in vec2 isf_FragNormCoord;
out vec4 pixel;
void main() {
  vec2 p = isf_FragNormCoord - vec2(0.5, 0.35);
  float light = 0.07 + 0.13 * exp(-3.0 * dot(p, p));
  pixel = vec4(light * vec3(0.85, 0.92, 1.1), 1.0);
}
"""
_PREMULTIPLY = """\
#version 330 core
out vec4 pixel;
uniform sampler2D image;
void main() {
  pixel = texelFetch(image, ivec2(gl_FragCoord.xy), 0);
  pixel.a = clamp(pixel.a, 0.0, 1.0);
  pixel.rgb *= pixel.a;
}
"""
# A clear pixel takes the colour of those around it: where a shader reads between two pixels, no black creeps in.
_STRAIGHTEN = """\
#version 330 core
out vec4 pixel;
uniform sampler2D image;
void main() {
  ivec2 at = ivec2(gl_FragCoord.xy), last = textureSize(image, 0) - 1;
  pixel = texelFetch(image, at, 0);
  vec4 around = pixel;
  if (pixel.a < 0.002) {  // nobody sees half a step of eight bits
    for (int y = -1; y <= 1; y++) for (int x = -1; x <= 1; x++) {
      around += texelFetch(image, clamp(at + ivec2(x, y), ivec2(0), last), 0);
    }
  }
  pixel.rgb = around.rgb / max(around.a, 1e-4);
}
"""


class _Mix:
    """The mix shader for one mode: moved or not, masked or not, of pictures of one size or not, on something or not.

    And for what lies above with colours that are multiplied by its alpha or not.
    """

    def __init__(self, ctx: moderngl.Context, mode: str, *kind: bool) -> None:
        row = BLEND_MODES[mode]
        source = _MIX % (*kind, row.glsl, row.light)
        self.program = ctx.program(vertex_shader=VERTEX_SOURCE, fragment_shader=source)
        self.vao = ctx.vertex_array(self.program, [])
        self._uniforms: dict[str, Any] = {name: self.program[name] for name in self.program}
        for unit, name in enumerate(("below", "above", "stencil")):
            self.set(name, unit)

    def set(self, name: str, value: Any) -> None:
        """Set a uniform, if this one has it."""
        uniform = self._uniforms.get(name)
        if uniform is not None:
            uniform.value = value


class Compose:
    """Copies and mixes textures; every method draws over the whole of `into`."""

    def __init__(self, ctx: moderngl.Context) -> None:
        self._ctx, self._after = ctx, after_pass(ctx)
        self._programs = [
            ctx.program(vertex_shader=VERTEX_SOURCE, fragment_shader=source)
            for source in (_COPY, _FETCH, _PRESENT, _DARK, _PREMULTIPLY, _STRAIGHTEN)
        ]
        self._copy, self._fetch, self._present, *_ = self._programs
        self._vaos = [ctx.vertex_array(program, []) for program in self._programs]
        self._copy_vao, self._fetch_vao, self._present_vao, self._dark_vao = self._vaos[:4]
        self._premultiply_vao, self._straighten_vao = self._vaos[4:]
        self._mixes: dict[tuple[str, bool, bool, bool, bool, bool], _Mix] = {}  # made when first asked for

    def copy(self, image: moderngl.Texture, into: moderngl.Framebuffer, gain: float = 1.0) -> None:
        """The image times gain, stretched to fit, linearly filtered."""
        into.use()
        image.use(0)
        like = into.viewport[2:] == image.size
        (self._fetch if like else self._copy)["gain"].value = gain  # type: ignore[union-attr]
        (self._fetch_vao if like else self._copy_vao).render(moderngl.TRIANGLES, 3)
        self._after()

    def mix(  # noqa: PLR0913  # its uniforms, set for every layer of every frame
        self,
        below: moderngl.Texture | None,
        above: moderngl.Texture,
        mode: str,
        opacity: float,
        into: moderngl.Framebuffer,
        *,
        place: Snapshot | None = None,
        key: tuple[float, float, tuple[float, ...]] = (0.0, 0.0, (0.0, 0.0, 0.0)),
        stencil: moderngl.Texture | None = None,
        mask: tuple[float, float] = (0.0, 0.0),
        premultiplied: bool = False,
    ) -> None:
        """`above` on `below`, or on black.

        Parameters
        ----------
        mode : str
            Name of a row of BLEND_MODES.
        opacity : float
            0..1.
        place : Place, optional
            Where `above` lies; None: all over.
        key : tuple[float, float, tuple[float, ...]], optional
            Threshold, softness, colour, for the two modes that cut out.
        stencil : moderngl.Texture, optional
            A picture whose brightness weighs the opacity; mask: how far (0..1), and 1.0 to turn it round.
        premultiplied : bool, optional
            Whether the colours of `above` are multiplied by its alpha; those of `stencil` must be.
        """
        size = into.size
        like = (
            (below is None or below.size == size)
            and (place is not None or above.size == size)
            and (stencil is None or stencil.size == size)
        )
        kind = mode, place is not None, stencil is not None, like, below is not None, premultiplied
        program = self._mixes.get(kind)
        if program is None:
            program = self._mixes[kind] = _Mix(self._ctx, *kind)
        into.use()
        if below is not None:
            below.use(0)
        above.use(1)
        if stencil is not None:
            stencil.use(2)
        program.set("opacity", opacity)
        program.set("mask", mask)
        program.set("key", key[:2])
        program.set("key_color", key[2][:3])
        if place is not None:
            program.set("turn", place[:4])
            program.set("shift", place[4:])
        program.vao.render(moderngl.TRIANGLES, 3)
        self._after()

    def rehearse(
        self, layers: Iterable[Any], picture: moderngl.Texture, other: moderngl.Texture, into: moderngl.Framebuffer
    ) -> None:
        """Copy a picture, and lay it on itself as each layer may come to lie: drivers compile when they first draw.

        Parameters
        ----------
        other : moderngl.Texture
            Other of another size, as a layer may be.
        """
        for size in (picture, other):
            self.copy(size, into)
            for number, layer in enumerate(layers):
                alphas = (False, True) if layer.play is not None else (False,)  # words and logos have one
                for place, premultiplied in product((None, AS_IT_IS), alphas):
                    self.mix(
                        picture if number else None,
                        size,
                        layer.blend,
                        1.0,
                        into,
                        place=place,
                        stencil=picture if layer.mask is not None else None,
                        premultiplied=premultiplied,
                    )

    def present(self, image: moderngl.Texture, into: moderngl.Framebuffer, gain: float, frame: int) -> None:
        """The image times gain as eight bits can show it: bright colours tamed, steps hidden by noise of one step.

        Parameters
        ----------
        frame : int
            Number of the picture, which moves the noise.
        """
        into.use()
        image.use(0)
        self._present["gain"].value = gain  # type: ignore[union-attr]
        self._present["shake"].value = 5.588238 * float(frame % 64)  # type: ignore[union-attr]
        self._present_vao.render(moderngl.TRIANGLES, 3)
        self._after()

    def premultiply(self, image: moderngl.Texture, into: moderngl.Framebuffer) -> None:
        """The image, as large as `into`, with its colours multiplied by its alpha."""
        self._through(self._premultiply_vao, image, into)

    def straighten(self, image: moderngl.Texture, into: moderngl.Framebuffer) -> None:
        """The image, as large as `into`, with its colours divided by its alpha; clear pixels have their neighbours'."""
        self._through(self._straighten_vao, image, into)

    def _through(self, vao: moderngl.VertexArray, image: moderngl.Texture, into: moderngl.Framebuffer) -> None:
        into.use()
        image.use(0)
        vao.render(moderngl.TRIANGLES, 3)
        self._after()

    def dark(self, into: moderngl.Framebuffer) -> None:
        """A dark neutral glow: what is seen where nothing can be drawn yet."""
        into.use()
        self._dark_vao.render(moderngl.TRIANGLES, 3)
        self._after()

    def release(self) -> None:
        for one in self._mixes.values():
            one.vao.release()
            one.program.release()
        for vao in self._vaos:
            vao.release()
        for program in self._programs:
            program.release()
