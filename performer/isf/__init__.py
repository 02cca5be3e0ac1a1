"""Shaders as text -> ShaderSpec: Interactive Shader Format, gl-transitions, Shadertoy's manner. No graphics here.

The format: https://github.com/mrRay/ISF_Spec. `Fault`s name the author's file and line.
"""

from __future__ import annotations

from performer.isf.kinds import SUFFIXES, files, load, owner
from performer.isf.reader import parse
from performer.isf.spec import AudioInput, Pass, ShaderSpec

__all__ = ["SUFFIXES", "AudioInput", "Pass", "ShaderSpec", "files", "load", "owner", "parse"]
