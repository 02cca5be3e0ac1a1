"""The person's folders, and files that are written whole or not at all.

The folders are functions: where they lie is asked when something is read or written, never at import.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import platformdirs

from performer.system.errors import Fault

_NAME = "performer"


def data() -> Path:
    """Own presets, shaders, models and banks; on Linux ~/.local/share/performer."""
    return Path(platformdirs.user_data_dir(_NAME, appauthor=False))


def config() -> Path:
    """Settings; on Linux ~/.config/performer."""
    return Path(platformdirs.user_config_dir(_NAME, appauthor=False))


def cache() -> Path:
    """What can be made again; on Linux ~/.cache/performer."""
    return Path(platformdirs.user_cache_dir(_NAME, appauthor=False))


def pictures() -> Path:
    """`performer` among the person's pictures."""
    return Path(platformdirs.user_pictures_dir()) / _NAME


def videos() -> Path:
    """`performer` among the person's videos."""
    return Path(platformdirs.user_videos_dir()) / _NAME


def write_text(path: Path, text: str, *, private: bool = False) -> None:
    """Put a text into a file, as UTF-8, whole or not at all; see `replacing`. Raises Fault."""
    write_bytes(path, text.encode(), private=private)


def write_bytes(path: Path, content: bytes, *, private: bool = False) -> None:
    """Put bytes into a file, whole or not at all; see `replacing`. Raises Fault."""
    with replacing(path, private=private) as file:
        file.write(content)


@contextlib.contextmanager
def replacing(path: Path, *, private: bool = False) -> Iterator[IO[bytes]]:
    """Lend a new file that takes the place of `path` at the end: a reader finds the old one or the new one, whole.

    The folder is made. Two programs that write at once each have a file of their own, and the later one stays. A power
    cut leaves the old file or the new one: the disk has the content before the name. A file that is there keeps its
    rights; of a link, what it leads to is replaced. On any error the old file stays, and no other is left behind.

    Parameters
    ----------
    private : bool, optional
        A file that was not there before is its owner's alone to read.

    Raises
    ------
    Fault
        Where the disk or the folder refuses.
    """
    new: Path | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        place = path.resolve() if path.is_symlink() else path
        if place.exists() and not place.is_file():
            raise Fault(f"{path}: cannot be written: not a regular file")
        new = place.with_name(f".{_NAME}-{secrets.token_hex(8)}.new")
        rights = 0o600 if private else 0o666
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _BINARY, rights), "wb") as file:
            if place.exists():
                with contextlib.suppress(OSError):  # a disk that knows no rights
                    os.chmod(new, stat.S_IMODE(place.stat().st_mode))
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(new, place)
    except OSError as error:
        raise Fault(f"{path}: cannot be written: {error.strerror or error}") from None
    finally:
        if new is not None:  # after all went well there is none
            with contextlib.suppress(OSError):
                new.unlink()


#: Windows turns line ends over in files that are opened without it.
_BINARY = getattr(os, "O_BINARY", 0)


def free_name(wished: Path) -> Path:
    """Make an empty file of that name, or of NAME 2, NAME 3 ...: what is there already is nobody's to write over.

    Two programs that ask at once get two names. Raises OSError.
    """
    path = wished
    count = 2
    while True:
        try:
            path.open("xb").close()
        except FileExistsError:
            path = wished.with_stem(f"{wished.stem} {count}")
            count = count + 1
        else:
            return path
