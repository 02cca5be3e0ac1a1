"""Text that others wrote, in whatever their editors save; never a pipe or a device, which would not end."""

from __future__ import annotations

import codecs
import os
import stat
from pathlib import Path

from performer.system.errors import Fault

MOST_BYTES = 8 << 20
LOOK_BYTES = 1 << 12  # in which text of two bytes a letter shows
#: Marks at the beginning of a file -> how it is written. The longer ones first: one begins like another.
MARKS = {
    codecs.BOM_UTF32_LE: "utf-32-le",
    codecs.BOM_UTF32_BE: "utf-32-be",
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}


def read(path: Path, most: int = MOST_BYTES) -> str:
    """A file's text with "\\n" at the end of each line: UTF-8, or UTF-16 and UTF-32, with a mark before it or without.

    Parameters
    ----------
    most : int, optional
        Bytes that are read; a larger file is refused.

    Raises
    ------
    FileNotFoundError
        Where there is no such file.
    Fault
        For all else that can be wrong with it.
    """
    return decoded(read_bytes(path, most), path)


def read_bytes(path: Path, most: int = MOST_BYTES) -> bytes:
    """What is in a regular file of a size that people write. Raises FileNotFoundError and Fault."""
    try:
        # Not waited for: a pipe without a writer would never open.
        number = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except (FileNotFoundError, NotADirectoryError):
        raise FileNotFoundError(2, "No such file or directory", str(path)) from None
    except OSError as error:
        if os.path.isdir(path):  # which Windows does not open
            raise Fault(f"{path}: a folder, not a file") from None
        raise Fault(f"{path}: cannot be read: {error.strerror}") from None
    except ValueError:
        raise Fault(f"{str(path)!r}: no file can have this name") from None
    try:
        found = os.fstat(number)
        if not stat.S_ISREG(found.st_mode):
            what = "a folder" if stat.S_ISDIR(found.st_mode) else "a pipe or a device"
            raise Fault(f"{path}: {what}, not a file")
        if found.st_size > most:
            raise Fault(f"{path}: {found.st_size >> 20} MB is too large for a text file; not read")
        with os.fdopen(os.dup(number), "rb") as file:
            return file.read(most)
    except OSError as error:
        raise Fault(f"{path}: cannot be read: {error.strerror}") from None
    finally:
        os.close(number)


def decoded(data: bytes, where: object) -> str:
    """The text of a file named `where`, as `read` gives it. Raises Fault."""
    mark = next((mark for mark in MARKS if data.startswith(mark)), b"")
    encoding = MARKS.get(mark) or _wide(data) or "utf-8"
    try:
        text = data[len(mark) :].decode(encoding)
    except UnicodeDecodeError as error:
        if encoding != "utf-8":
            raise Fault(f"{where}: damaged {encoding[:6].upper()} text; save it as UTF-8") from None
        at = error.start + len(mark)
        line = data[data.rfind(b"\n", 0, at) + 1 :].split(b"\n", 1)[0]
        shown = line.decode("cp1252", "replace").strip()[:60]
        raise Fault(
            f"{where}: line {data.count(10, 0, at) + 1} is not UTF-8 ({shown!r}, if an older Windows wrote it); "
            "save the file as UTF-8"
        ) from None
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _wide(data: bytes) -> str:
    """The encoding of two bytes a letter that shows without a mark; "" where none does."""
    look = data[:LOOK_BYTES]
    half = len(look) // 2
    if half and look.count(0) and not len(data) % 2:
        even, odd = look[0::2].count(0), look[1::2].count(0)
        if odd > 0.4 * half and even < 0.1 * half:
            return "utf-16-le"
        if even > 0.4 * half and odd < 0.1 * half:
            return "utf-16-be"
    return ""
