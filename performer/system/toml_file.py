"""TOML that others wrote: whatever is wrong with it is one kind of error."""

from __future__ import annotations

import tomllib
from tomllib import TOMLDecodeError
from typing import Any

__all__ = ["TOMLDecodeError", "loads"]


def loads(text: str) -> dict[str, Any]:
    """The tables of a TOML text. Raises TOMLDecodeError, also for what tomllib itself stumbles over."""
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise TOMLDecodeError("nested too deeply") from None
    except TOMLDecodeError:
        raise
    except ValueError:
        raise TOMLDecodeError("a whole number of thousands of digits") from None
