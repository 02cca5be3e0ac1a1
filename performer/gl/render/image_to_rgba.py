"""The passes that turn pictures, as they came up, into RGBA in the frame's aspect."""

from __future__ import annotations

from typing import Any

import moderngl

from performer.content.shaders.glsl import VERTEX_SOURCE
from performer.gl.render.gpu_transfer import COMPONENTS, Ways
from performer.gl.render.target_pool import Target
from performer.gl.render.wait import after_pass
from performer.types.image import GpuImage

_CONVERT = """\
#version 330 core
in vec2 isf_FragNormCoord;
out vec4 pixel;
uniform sampler2DArray planes;
uniform sampler2D before;
uniform ivec2 corner;
uniform float progress;
#ifdef TENSOR  // a model's output as it is on the card
uniform int channels;
uniform bool interleaved, clipped;
uniform vec2 range;
vec3 here(ivec2 at) {
  vec4 it = texelFetch(planes, ivec3(at, 0), 0);
  if (!interleaved) {
    it = vec4(it.r, 0.0, 0.0, 0.0);
    if (channels > 1) it.gb = vec2(texelFetch(planes, ivec3(at, 1), 0).r, texelFetch(planes, ivec3(at, 2), 0).r);
    if (channels > 3) it.a = texelFetch(planes, ivec3(at, 3), 0).r;
  }
  it = (it - range.x) / (range.y - range.x);
  if (any(isnan(it.rgb))) return vec3(0.0);
  if (clipped) it = clamp(it, 0.0, 1.0);
  if (channels == 1) return it.rrr;
  return channels == 4 ? it.rgb * it.a : it.rgb;
}
#else
vec3 here(ivec2 at) {
  return vec3(texelFetch(planes, ivec3(at, 0), 0).r, texelFetch(planes, ivec3(at, 1), 0).r,
              texelFetch(planes, ivec3(at, 2), 0).r);
}
#endif
void main() {
  // The generator's first row is the top one; GL's is the bottom.
  ivec2 at = ivec2(corner.x + int(gl_FragCoord.x), corner.y - int(gl_FragCoord.y));
  ivec2 size = textureSize(planes, 0).xy;
  if (at.x < 0 || at.y < 0 || at.x >= size.x || at.y >= size.y) {  // beside a picture that is shown whole
    pixel = vec4(0.0);
    return;
  }
  vec3 now = here(at);
  vec3 old = progress < 1.0 ? texelFetch(before, ivec2(isf_FragNormCoord * vec2(textureSize(before, 0))), 0).rgb : now;
  pixel = vec4(mix(old, now, progress), 1.0);
}
"""
# Pictures that come packed: any size, alpha kept; their first row is the top one too.
_UNPACK = """\
#version 330 core
in vec2 isf_FragNormCoord;
out vec4 pixel;
uniform sampler2D packed_picture;
uniform vec2 part;
void main() {
  vec2 at = (isf_FragNormCoord - 0.5) * part + 0.5;
  vec2 beside = step(0.5, abs(at - 0.5));
  pixel = texture(packed_picture, vec2(at.x, 1.0 - at.y)) * (1.0 - max(beside.x, beside.y));
}
"""
# Their first row stays the top one here.
_WEIGH = """\
#version 330 core
out vec4 pixel;
uniform sampler2D packed_picture;
void main() {
  pixel = texelFetch(packed_picture, ivec2(gl_FragCoord.xy), 0);
  pixel.rgb *= pixel.a;
}
"""
# Catmull-Rom in five bilinear taps, after J. Jimenez, "Filmic SMAA" (SIGGRAPH 2016); its corners weigh next to nothing.
_REFINE = """\
#version 330 core
in vec2 isf_FragNormCoord;
out vec4 pixel;
uniform sampler2D image;
void main() {
  vec2 size = vec2(textureSize(image, 0));
  vec2 at = isf_FragNormCoord * size;
  vec2 middle = floor(at - 0.5) + 0.5;
  vec2 f = at - middle;
  vec2 w0 = f * (-0.5 + f * (1.0 - 0.5 * f));
  vec2 w2 = f * (0.5 + f * (2.0 - 1.5 * f));
  vec2 w3 = f * f * (-0.5 + 0.5 * f);
  vec2 w12 = 1.0 - w0 - w3;
  vec2 p12 = (middle + w2 / w12) / size, p0 = (middle - 1.0) / size, p3 = (middle + 2.0) / size;
  vec4 sum = vec4(texture(image, p12).rgb, 1.0) * (w12.x * w12.y)
    + vec4(texture(image, vec2(p12.x, p0.y)).rgb, 1.0) * (w12.x * w0.y)
    + vec4(texture(image, vec2(p0.x, p12.y)).rgb, 1.0) * (w0.x * w12.y)
    + vec4(texture(image, vec2(p3.x, p12.y)).rgb, 1.0) * (w3.x * w12.y)
    + vec4(texture(image, vec2(p12.x, p3.y)).rgb, 1.0) * (w12.x * w3.y);
  pixel = vec4(sum.rgb / sum.a, texture(image, isf_FragNormCoord).a);
}
"""


class Converter:
    """The passes from planes of floats to RGBA; one serves all image textures of a context.

    Parameters
    ----------
    dtype : str, optional
        Dtype of those textures, as `Target` says it.
    """

    def __init__(self, ctx: moderngl.Context, dtype: str = "f1") -> None:
        self.dtype = dtype
        self._after = after_pass(ctx)
        self.program = ctx.program(vertex_shader=VERTEX_SOURCE, fragment_shader=_CONVERT)
        self.program["planes"].value, self.program["before"].value = 0, 1  # type: ignore[union-attr]
        self._vao = ctx.vertex_array(self.program, [])
        self._ctx = ctx
        self.ways = Ways(ctx)
        self._tensor: moderngl.Program | None = None  # made when the first picture comes from a card
        self._tensor_vao: Any = None
        self._cubic = ctx.program(vertex_shader=VERTEX_SOURCE, fragment_shader=_REFINE)
        self._refine = ctx.vertex_array(self._cubic, [])
        self._packed = ctx.program(vertex_shader=VERTEX_SOURCE, fragment_shader=_UNPACK)
        self._unpack = ctx.vertex_array(self._packed, [])
        self._weighing = ctx.program(vertex_shader=VERTEX_SOURCE, fragment_shader=_WEIGH)
        self._weigh = ctx.vertex_array(self._weighing, [])

    def refine(self, image: moderngl.Texture, into: Target) -> None:
        """Enlarge without the creases of linear filtering."""
        into.fbo.use()
        image.use(0)
        self._refine.render(moderngl.TRIANGLES, 3)
        self._after()

    def unpack(self, picture: moderngl.Texture, into: Target, whole: bool) -> None:
        """The middle part of a packed picture that has the target's aspect; where that is larger, clear beside it."""
        into.fbo.use()
        picture.use(0)
        aspect = picture.width / picture.height
        wanted = into.size[0] / into.size[1]
        least = max if whole else min
        part = (least(1.0, wanted / aspect), least(1.0, aspect / wanted))
        self._packed["part"].value = part  # type: ignore[union-attr]
        self._unpack.render(moderngl.TRIANGLES, 3)
        self._after()

    def weigh(self, picture: moderngl.Texture, into: Target) -> None:
        """A packed picture, as large as the target, with its colours multiplied by its alpha."""
        into.fbo.use()
        picture.use(0)
        self._weigh.render(moderngl.TRIANGLES, 3)
        self._after()

    def draw(
        self,
        planes: moderngl.TextureArray,
        before: moderngl.Texture | None,
        progress: float,
        into: Target,
        given: GpuImage | None = None,
    ) -> None:
        """Crossfade from `before` (as it is) to the planes (their middle part, as large as `into`).

        Parameters
        ----------
        given : OnCard, optional
            What the planes are, where they are a model's output as it was on the card.
        """
        into.fbo.use()
        planes.use(0)
        if before is not None:
            before.use(1)
        left = (planes.width - into.size[0]) // 2
        top = (planes.height - into.size[1]) // 2
        program: Any = self.program if given is None else self._made_for(given)
        program["corner"].value = (left, planes.height - 1 - top)
        program["progress"].value = progress if before is not None else 1.0
        (self._vao if given is None else self._tensor_vao).render(moderngl.TRIANGLES, 3)
        self._after()

    def _made_for(self, given: GpuImage) -> moderngl.Program:
        """The program for tensors, set for one."""
        if self._tensor is None:
            source = _CONVERT.replace("core\n", "core\n#define TENSOR\n", 1)
            self._tensor = self._ctx.program(vertex_shader=VERTEX_SOURCE, fragment_shader=source)
            self._tensor["planes"].value, self._tensor["before"].value = 0, 1  # type: ignore[union-attr]
            self._tensor_vao = self._ctx.vertex_array(self._tensor, [])
        program: Any = self._tensor
        white = COMPONENTS[given.dtype][1]
        program["channels"].value = dict(zip(given.layout, given.shape, strict=True)).get("C", 1)
        program["interleaved"].value = given.layout.endswith("HWC")
        program["clipped"].value = given.clip
        program["range"].value = (given.low / white, given.high / white)
        return self._tensor

    def release(self) -> None:
        for part in (
            self._vao,
            self._refine,
            self._unpack,
            self.program,
            self._cubic,
            self._packed,
            self._weigh,
            self._weighing,
            self._tensor_vao,
            self._tensor,
        ):
            if part is not None:
                part.release()
