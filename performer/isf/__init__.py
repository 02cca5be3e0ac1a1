"""Interactive Shader Format, versions 1 and 2: text -> ShaderSpec. No graphics here.

The format: https://github.com/mrRay/ISF_Spec. `Fault`s name the author's file and line.
"""

from __future__ import annotations

from performer.isf.reader import load, parse
from performer.isf.spec import AudioInput, Pass, ShaderSpec

__all__ = ["AudioInput", "Pass", "ShaderSpec", "load", "parse"]
