"""What live shows, renders, checks and benches are made of: the library, its models, a painter."""

from __future__ import annotations

from performer.audio.features import FEATURES
from performer.content.library import FACTORY, Library
from performer.generators.media.open import Begin
from performer.generators.onnx import session as onnx
from performer.generators.painter import Painter
from performer.generators.tools.probe import known


def load_library(transition: str | None = None) -> Library:
    """All shaders, models and presets, the factory's and the user's; `transition` for every change. Raises Fault."""
    return Library(audio=tuple(FEATURES), transition=transition).load()


def load_model(
    library: Library, name: str, provider: str, threads: int | None = None, repeats: bool = False
) -> onnx.OnnxGenerator:
    """A model of the library, a stranger's after a trial. Raises Fault."""
    path = library.models[name]
    if not path.is_relative_to(FACTORY):
        known(path)
    return onnx.create(path, provider, threads, repeats)


def painter(
    library: Library, provider: str, begin: Begin | None = None, stay: bool = False, repeats: bool = False
) -> Painter:
    """A painter that loads the library's models by name.

    Parameters
    ----------
    begin : Begin, optional
        Starts threads for it.
    stay : bool, optional
        Pictures may stay on the card where they were made.
    repeats : bool, optional
        Every start gives the same pictures to the bit, if not in the fastest way.
    """
    return Painter(lambda name: load_model(library, name, provider, repeats=repeats), library.changed, begin, stay)
