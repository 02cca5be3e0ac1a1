"""Files of shaders: their text, and the pictures beside them."""

from __future__ import annotations

from pathlib import Path, PurePosixPath, PureWindowsPath

from performer.system.errors import Fault

LARGEST_FILE = 4_000_000  # characters


def text(path: Path) -> str:
    """A shader's text. Raises Fault where there is none, or nothing like one."""
    try:
        if path.exists() and not path.is_file():  # a pipe would be waited for, a device never ends
            raise Fault(f"{path}: no regular file; expected a shader's text")
        with path.open("rb") as file:
            raw = file.read(4 * LARGEST_FILE)
    except OSError as error:
        raise Fault(f"{path}: {(error.strerror or 'cannot be read').lower()}; is the path right?") from None
    wide = raw[:2] in (b"\xff\xfe", b"\xfe\xff")
    found = raw.decode("utf-16" if wide else "utf-8-sig", errors="replace")
    if len(found) > LARGEST_FILE:
        raise Fault(
            f"{path}: {path.stat().st_size / 1e6:.0f} MB is no shader; expected at most {LARGEST_FILE // 1_000_000} MB"
        )
    if "\0" in found[:4096]:
        raise Fault(f"{path}: binary data, not a shader; expected text")
    return found


def beside(folder: Path, file: str) -> Path | None:
    """The path of a picture that a shader names; None where it would leave the shader's own folder."""
    posix = PurePosixPath(file.replace("\\", "/"))
    windows = PureWindowsPath(file)
    if "\0" in file or posix.is_absolute() or windows.drive or ".." in posix.parts:
        return None
    folder = folder.resolve()
    try:
        inside = (folder / posix).resolve()
    except (OSError, RuntimeError):  # a loop of links
        return None
    except ValueError:  # half a surrogate pair: no file has such a name
        return folder / posix
    return inside if inside.is_relative_to(folder) else None


def is_there(path: Path) -> bool:
    """Whether there is a file of that name; also where no file can have it."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False
