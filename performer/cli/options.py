"""Commands made from options that are declared elsewhere, and what several commands share."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import MISSING, fields, is_dataclass
from functools import wraps
from typing import Annotated, Any, get_args, get_type_hints

import typer

from performer.rig.options import Option

Debug = Annotated[bool, typer.Option("--debug", help="Show tracebacks and all log lines.")]


def takes_options(body: Callable[..., None]) -> Callable[..., None]:
    """A function as a command that typer understands, each option of which is stated once.

    A parameter whose type is a dataclass stands for all its fields, in their order, and gets an instance of it; a type
    that holds an `Option` says of itself how it is asked for. Others are typer's own.
    """
    hints = get_type_hints(body, include_extras=True)
    groups: dict[str, type] = {}
    readers: dict[str, Callable[[str], Any]] = {}
    asked: list[inspect.Parameter] = []

    def ask(name: str, hint: Any, default: Any) -> None:
        option = next((part for part in get_args(hint)[1:] if isinstance(part, Option)), None)
        if option is not None:
            if option.read is not None:
                readers[name] = option.read
            if option.write is not None and default is not inspect.Parameter.empty:
                default = option.write(default)
            hint = _for_typer(name, get_args(hint)[0], option, default)
        asked.append(inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=hint))

    for name, parameter in inspect.signature(body).parameters.items():
        if not is_dataclass(hints[name]):
            ask(name, hints[name], parameter.default)
            continue
        groups[name] = hints[name]
        kinds = get_type_hints(hints[name], include_extras=True)
        for field in fields(hints[name]):
            ask(field.name, kinds[field.name], inspect.Parameter.empty if field.default is MISSING else field.default)

    @wraps(body)
    def command(**given: Any) -> None:
        for name, read in readers.items():
            if given[name] is not None:
                given[name] = read(given[name])
        for name, kind in groups.items():
            given[name] = kind(**{field.name: given.pop(field.name) for field in fields(kind)})
        body(**given)

    command.__signature__ = inspect.Signature(asked)  # type: ignore[attr-defined]
    command.__annotations__ = {parameter.name: parameter.annotation for parameter in asked}
    return command


def _for_typer(name: str, kind: Any, option: Option, default: Any) -> Any:
    """The type of a parameter as typer reads it: what has a reader is text, and a flag has no --no- of its own."""
    if option.read is not None:
        kind = str | None if default is None else str
    if option.placed:
        return Annotated[kind, typer.Argument(help=option.help)]
    flag = (f"--{name.replace('_', '-')}",) if kind is bool else ()
    return Annotated[kind, typer.Option(*flag, min=option.least, max=option.most, help=option.help)]
