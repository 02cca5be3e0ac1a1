"""What shaders sample besides pictures of the show: the sound, and the pictures that they import."""

from __future__ import annotations

from pathlib import Path

import moderngl

from performer.content.shaders import ShaderSpec
from performer.gl.render.texture import SoundTexture, picture
from performer.types.frame import Frame


class Samplers:
    """Sound textures and imported pictures, each made once for all shaders that want it."""

    def __init__(self, ctx: moderngl.Context) -> None:
        self._ctx = ctx
        self._sounds: dict[tuple[bool, int, bool], SoundTexture] = {}
        self._pictures: dict[Path, moderngl.Texture] = {}

    def prepare(self, spec: ShaderSpec) -> None:
        """Read the pictures that a shader imports."""
        for _, path in spec.imported:
            if path not in self._pictures:
                self._pictures[path] = picture(self._ctx, path)

    def fill(
        self, spec: ShaderSpec, frame: Frame, given: dict[str, moderngl.Texture], other: moderngl.Texture
    ) -> dict[str, moderngl.Texture]:
        """Add to `given` all that a shader samples; image inputs beyond the usual ones see `other`."""
        for name in spec.images:
            if name not in given:
                given[name] = other
        for sound in spec.audio:
            key = (sound.spectrum, sound.width, sound.both)
            shown = self._sounds.get(key)
            if shown is None:
                shown = self._sounds[key] = SoundTexture(self._ctx, sound)
            shown.show(frame.sound, frame.index)
            given[sound.name] = shown.texture
        for name, path in spec.imported:
            given[name] = self._pictures[path]
        return given

    def release(self) -> None:
        for sound in self._sounds.values():
            sound.release()
        for texture in self._pictures.values():
            texture.release()
