"""Files saved while the show plays: read and tried aside, then handed to the main thread, which swaps them in."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from queue import SimpleQueue

from performer.content import banks
from performer.content import shaders as isf
from performer.content.library import Library
from performer.content.shaders import ShaderSpec
from performer.latent.bank import Bank, Change
from performer.rig.shader_trial import ShaderTrial
from performer.system.errors import Fault, refusing
from performer.types.preset import Preset

log = logging.getLogger(__name__)
#: What comes while playing: a shader, all presets, banks of models that came, what others did to a bank.
Content = ShaderSpec | list[Preset] | dict[str, Bank] | Change
# an editor's several writes of one save are taken together
GROUP_MS = 50
QUIET_MS = 10


class Watcher:
    """Watches the library's folders for shaders and presets.

    What is not good is logged, which the HUD shows, and what was there before plays on.

    Parameters
    ----------
    content : SimpleQueue[Content]
        What is good goes there: a shader, and the presets after it, as a new input is a new parameter; banks of models
        that came meanwhile, and then the presets that play them.
    trial : ShaderTrial
        Tries shaders before the show does.
    """

    def __init__(self, library: Library, content: SimpleQueue[Content], trial: ShaderTrial) -> None:
        self.library = library
        self.content = content
        self.trial = trial
        self._banked = set(library.dims())  # models whose banks are there

    def run(self, stop: threading.Event) -> None:
        """Thread body."""
        from watchfiles import watch

        folders = self.library.watched
        for folder in folders[-2:]:  # the user's own, so that the first file put there is seen
            with contextlib.suppress(OSError):
                folder.mkdir(parents=True, exist_ok=True)
        try:
            self.trial.start()  # now, so that the first file saved is seen as fast as any
        except Fault as fault:
            log.warning("%s", fault)
        stamps = self.library.stamps
        try:
            while not stop.is_set():
                compared, watched = False, _places(folders)
                for changes in watch(
                    *(f for f in folders if f.is_dir()),
                    stop_event=stop,
                    debounce=GROUP_MS,
                    step=QUIET_MS,
                    rust_timeout=500,
                    raise_interrupt=False,
                    yield_on_timeout=True,
                ):
                    paths = {Path(name) for _, name in changes}
                    if not compared:  # what was saved after it was read and before the watch began counts too
                        now = self.library.stamped()
                        paths |= {path for path, at in now.items() if stamps.get(path) != at}
                        stamps = now
                        compared = True
                    self.take(paths)
                    if _places(folders) != watched:  # a folder was put in another's place, and nobody watches that
                        break
        finally:
            self.trial.stop()

    def take(self, paths: Iterable[Path]) -> None:
        """Read what belongs to these files again."""
        shaders = set()
        for path in paths:
            with contextlib.suppress(OSError):  # of a folder that may not be looked into
                shaders.add(isf.owner(path))
        for path in sorted(one for one in shaders if one is not None):
            self._report(self._shader, path)
        if said := isf.foreign(path for path in paths if path.is_file()):
            log.error("%s", said)
        for path in sorted(paths):
            if path.suffix == ".toml" and path.is_file():
                self._report(self._preset, path)

    def _report(self, take: Callable[[Path], object], path: Path) -> None:
        try:
            with refusing(path):
                take(path)
        except Fault as fault:
            self.library.faults[path] = fault
            log.error("%s", fault)

    def _shader(self, path: Path) -> None:
        fresh = isf.load(path)
        refused = self.trial.examine([fresh])
        if refused:
            raise refused[fresh.name]
        spec = self.library.keep_shader(fresh)
        self.content.put(spec)
        self.library.faults.pop(path, None)
        playing = [preset for preset in self.library.presets.values() if spec.name in preset.shaders]
        for preset in playing:
            where = self.library.files.get(preset.name)
            if where is not None:
                self._report(self.library.load_preset, where)
        waiting = [one for one in self.library.faults if one.suffix == ".toml" and one.is_file()]
        for where in waiting:  # perhaps it was this shader that they lacked
            with contextlib.suppress(Fault), refusing(where):
                self.library.load_preset(where)
                del self.library.faults[where]
        if playing or waiting:
            self.content.put(self.library.in_order())

    def _preset(self, path: Path) -> None:
        self.library.find_models()  # perhaps of one that has just been trained
        loaded = self.library.load_preset(path)
        self.library.faults.pop(path, None)
        # All its shaders, as a trial also spares the show the driver's compile; only strangers' can be refused.
        known = [self.library.shaders[name] for name in loaded.shaders if name in self.library.shaders]
        refused = self.trial.examine(known)
        foreign = {spec.name for spec in self.library.foreign(loaded)}
        self.library.refuse({name: fault for name, fault in refused.items() if name in foreign})
        came = {name: dim for name, dim in self.library.dims().items() if name not in self._banked}
        if came:
            self._banked |= set(came)
            self.content.put(banks.read_all(came))
        self.content.put(self.library.in_order())


def _places(folders: Iterable[Path]) -> list[tuple[int, int] | None]:
    """Which folder each path means now."""
    found: list[tuple[int, int] | None] = []
    for folder in folders:
        try:
            at = folder.stat()
            found.append((at.st_dev, at.st_ino))
        except OSError:
            found.append(None)
    return found
