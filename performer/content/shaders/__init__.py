"""Shaders as text -> ShaderSpec: Interactive Shader Format, gl-transitions, Shadertoy's manner. No graphics here.

The format: https://github.com/mrRay/ISF_Spec. `Fault`s name the author's file and line.
"""

from __future__ import annotations

from performer.content.shaders.formats import FOREIGN, SUFFIXES, files, foreign, load, owner
from performer.content.shaders.reader import parse
from performer.content.shaders.spec import AudioInput, Pass, ShaderSpec

__all__ = ["FOREIGN", "SUFFIXES", "AudioInput", "Pass", "ShaderSpec", "files", "foreign", "load", "owner", "parse"]
