"""What each input of an untrusted model is for, by its name, type and shape; and which shapes to try it with."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import isqrt, prod

from performer.system.errors import Fault, nearest

#: What a person may call an input: roles of a card that need no knowledge of models made here, and picture.
TOLD_ROLES = ("latent", "picture", "noise", "class", "truncation")
STYLES = ("middle", "fine")
SIZES = (512, 128, 256, 100, 64, 1024, 32, 16)  # of a latent whose size the file leaves open
SIDES = (256, 512, 128, 224, 64)  # and of a picture
LATENT_SIDES = (32, 16, 64, 8)  # and of a latent that has height and width
LAYERS = (18, 16, 14, 12, 10, 8)  # and of how many layers a StyleGAN's styles are for
LATENT_CHANNELS = 4
_OURS, _GRAIN = {"z", "w", "truncation"}, re.compile(r"^noise_\d+$")
_NAMED = {
    "z": "latent",
    "z_middle": "middle",
    "z_fine": "fine",
    "label": "class",
    **{name: name for name in ("w", "w_middle", "w_fine", "truncation")},
}
_NOISE, _LABEL = re.compile(r"noise|rand", re.I), re.compile(r"class|label|cond|^y$|^c$|categ", re.I)
_TRUNCATION = re.compile(r"trunc|(?<![a-z])psi(?![a-z])", re.I)
_LATENT_WORDS = frozenset(
    {"latent", "latents", "dlatent", "dlatents", "z", "zs", "w", "ws", "wp", "wplus", "code", "codes"}
)
_STYLE_WORDS = frozenset({"style", "styles"})
_PICTURE_WORDS = frozenset(
    {"image", "images", "img", "imgs", "picture", "pictures", "pixel", "pixels", "photo", "content", "frame", "rgb"}
    | {"rgba", "bgr", "mask"}
)
_AMOUNT_WORDS = frozenset(
    {"gain", "scale", "strength", "alpha", "beta", "temperature", "sigma", "amount", "weight", "intensity", "guidance"}
    | {"timestep"}
)

Shape = tuple[int | None, ...]


@dataclass(frozen=True)
class Input:
    """An input as its file tells it: the sides of its shape, None where open; its type as numpy calls it."""

    name: str
    shape: Shape
    type: str

    @property
    def words(self) -> set[str]:
        """The words of its name: `latent` and `sample` of latent_sample, latentSample, latent.sample."""
        return set(re.sub(r"([a-z])([A-Z])", r"\1 \2", self.name).replace("_", " ").lower().split()) | set(
            re.findall(r"[a-z]+", self.name.lower())
        )

    @property
    def called_latent(self) -> bool:
        return bool(self.words & _LATENT_WORDS)

    @property
    def called_picture(self) -> bool:
        return bool(self.words & _PICTURE_WORDS)

    @property
    def single(self) -> bool:
        """Whether it is one number."""
        known = [side for side in self.shape if side is not None]
        return len(self.shape) <= 2 and all(side == 1 for side in known) and (not self.shape or bool(known))

    @property
    def number(self) -> int | None:
        """How many numbers it takes, less an open batch; None where that is open."""
        sides = self.shape[1:] if len(self.shape) > 1 and self.shape[0] is None else self.shape
        return None if any(side is None for side in sides) else prod(side or 1 for side in sides)


@dataclass
class Roles:
    """Input name -> role, as cards call it; values of constants; in words, what was guessed."""

    of: dict[str, str]
    values: dict[str, float] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def named(self, role: str) -> list[str]:
        """The inputs of that role."""
        return [name for name, had in self.of.items() if had == role]


def picture_axis(shape: Sequence[int | None]) -> int | None:
    """Which axis of an input is the channel, if it can be a picture at all: the sides are 8 pixels or open."""
    axes = list(range(len(shape) - 3, len(shape)))
    if len(shape) < 3 or len(shape) > 4:
        return None
    if len(shape) == 4 and shape[1:] == (None,) * 3:  # as exporters write it where everything is left open
        return 1
    for channel in (axes[0], axes[2]):
        sides = [shape[axis] for axis in axes if axis != channel]
        if shape[channel] in (1, 3, 4) and all(side is None or side >= 8 for side in sides):
            return channel
    return None


def roles_of(
    inputs: Sequence[Input],
    output: Shape | None = None,
    latent: str | int | None = None,
    told: Mapping[str, str] | None = None,
) -> Roles:
    """Say what each input is for.

    Parameters
    ----------
    output : Shape, optional
        Shape of the picture that it makes, where the file tells it.
    latent : str | int, optional
        What a person says is the latent: an input's name, or how many numbers it has.
    told : Mapping[str, str], optional
        What a person says of inputs: name -> one of TOLD_ROLES, or a number that it always gets.

    Raises
    ------
    Fault
        Without the file's name, where none can be walked or fed a picture.
    """
    told = dict(told or {})
    names = [entry.name for entry in inputs]
    if isinstance(latent, str):
        told[latent] = "latent"
    for name, word in told.items():
        if name not in names:
            raise Fault(f"no input {name!r}{nearest(name, names)}; there are {', '.join(names)}")
        if word not in TOLD_ROLES and not _is_number(word):
            raise Fault(f"input {name!r} as {word!r}: expected a number, or one of {', '.join(TOLD_ROLES)}")
    if not told and set(names) >= _OURS and all(name in _NAMED or _GRAIN.match(name) for name in names):  # made here
        found = Roles({name: _NAMED.get(name, "grain") for name in names})
        sized = {entry.name: entry.number for entry in inputs}
        if isinstance(latent, int) and sized["z"] not in (None, latent):
            raise Fault(f"no input takes a latent of {latent}; z takes {sized['z']}")
        return found
    roles = Roles({entry.name: _by_itself(entry, len(inputs) == 1, output, told) for entry in inputs})
    for name, word in told.items():
        if _is_number(word):
            roles.of[name], roles.values[name] = "constant", float(word)
    if isinstance(latent, int) and "latent" not in told.values():
        _take_sized(inputs, roles, latent, told)
    _settle(inputs, roles, told)
    return roles


def _is_number(word: str) -> bool:
    try:
        return abs(float(word)) <= 1e6
    except ValueError:
        return False


def _by_itself(entry: Input, alone: bool, output: Shape | None, told: Mapping[str, str]) -> str:
    """The role of an input, as far as it can be told without the others: also vector, spare and amount, which are
    settled later."""
    if entry.name in told:
        return {"picture": "image"}.get(told[entry.name], told[entry.name])
    whole = not entry.type.startswith("float")
    channel = picture_axis(entry.shape)
    if entry.type == "bool" and (channel is None or len(entry.shape) < 4):
        return "flag"
    if entry.called_picture and len(entry.shape) == 2 and all(side is None or side >= 8 for side in entry.shape):
        return "image"
    if whole and not (channel is not None and (_is_surely_a_picture(entry) or len(entry.shape) == 4)):
        return "class"
    if _LABEL.search(entry.name) and len(entry.shape) <= 2 and not alone:
        return "class"
    if _TRUNCATION.search(entry.name) and not alone:
        return "truncation"
    if entry.single:
        return "spare"
    if entry.words & _AMOUNT_WORDS and len(entry.shape) <= 2 and not alone:
        return "spare"
    if entry.called_latent:
        return "latent"
    if _NOISE.search(entry.name):
        return "noise"
    if channel is None or (not whole and _is_latent_of_space(entry, channel, output)):
        return "vector"
    return "image"


def _is_latent_of_space(entry: Input, channel: int, output: Shape | None) -> bool:
    """Whether what has the shape of a picture is rather a latent: styles for each layer, or with height and width."""
    if entry.called_picture:
        return False
    shape = entry.shape
    if len(shape) == 3 and shape[0] in (1, None) and channel == 0:  # [1, layers, numbers], or grey
        layers = shape[1]
        numbers = shape[2]
        if layers is None or numbers is None:
            return bool(entry.words & _STYLE_WORDS)
        return layers <= 32 and numbers >= 2 * layers
    if len(shape) != 4 or shape[channel] != LATENT_CHANNELS:
        return False
    if entry.words & {"sample"}:
        return True
    sides = [side for axis, side in enumerate(shape) if axis not in (0, channel)]
    if output is None or len(output) != 4 or LATENT_CHANNELS in (output[1], output[3]):
        return False
    largest = max((side for side in output[1:] if side is not None), default=0)
    return all(side is None or largest >= 4 * side for side in sides)


def _take_sized(inputs: Sequence[Input], roles: Roles, size: int, told: Mapping[str, str]) -> None:
    """Make the input that takes so many numbers the latent. Raises Fault where none does."""
    order = ("latent", "vector", "image", "noise", "spare")
    able = [entry for entry in inputs if entry.name not in told and roles.of[entry.name] in order]
    able.sort(key=lambda entry: order.index(roles.of[entry.name]))
    for entry in able:
        if entry.number == size or (entry.number is None and shape_for(entry, "latent", size=size) is not None):
            roles.of[entry.name] = "latent"
            return
    for entry in able:  # one vector for all layers
        if len(entry.shape) == 3 and entry.shape[2] == size:
            roles.of[entry.name] = "latent"
            return
    there = ", ".join(f"{entry.name} {listed(entry.shape)}" for entry in inputs)
    raise Fault(f"no input takes a latent of {size}; there are {there}")


def _settle(inputs: Sequence[Input], roles: Roles, told: Mapping[str, str]) -> None:
    """Choose between what could be walked and what could be fed a picture. Raises Fault where there is neither."""
    by_name = {entry.name: entry for entry in inputs}
    sure = [name for name, word in told.items() if word == "latent"]
    latents = sure or roles.named("latent") or roles.named("vector")
    pictures = roles.named("image")
    certain = [name for name in pictures if name in told or _is_surely_a_picture(by_name[name])]
    if not latents and not pictures:
        able = [name for name in roles.named("noise") + roles.named("spare") if by_name[name].type.startswith("float")]
        able = [name for name in able if name not in told]
        if not able:
            there = ", ".join(f"{entry.name} {listed(entry.shape)}" for entry in inputs)
            raise Fault(f"none of its inputs can be a latent or an image: {there}")
        latents = [max(able, key=lambda name: by_name[name].number or 1 << 20)]
        roles.of[latents[0]] = "latent"
    if certain and not sure:  # the picture is what it is about
        latents = []
    walked = latents[0] if latents else None
    for name, role in roles.of.items():
        entry = by_name[name]
        if name == walked:
            roles.of[name] = "latent"
        elif role in ("latent", "vector") and name not in told:
            part = name.removeprefix(f"{walked}_")
            roles.of[name] = part if part in STYLES and entry.shape == by_name[walked or name].shape else "noise"
            if roles.of[name] == "noise":
                roles.notes.append(f"input {name} always gets the same noise; --latent {name} walks through it")
        elif role == "image" and walked is not None:
            roles.of[name] = "noise"
            roles.notes.append(f"input {name} always gets the same noise; --role {name}=picture feeds it a picture")
        elif role in ("spare", "flag"):
            roles.of[name] = "constant"
            roles.values[name] = 0.0 if role == "flag" else 1.0
            roles.notes.append(f"input {name} stays at {roles.values[name]:g}; --role {name}=NUMBER sets it")


def _is_surely_a_picture(entry: Input) -> bool:
    axis = picture_axis(entry.shape)
    return entry.called_picture or entry.type == "uint8" or (axis is not None and entry.shape[axis] == 3)


def listed(shape: Sequence[int | None]) -> str:
    """A shape for people: [1, ?, 64]."""
    return "[" + ", ".join("?" if side is None else str(side) for side in shape) + "]"


def shape_for(entry: Input, role: str, attempt: int = 0, size: int | None = None) -> tuple[int, ...] | None:
    """A shape to try an input with, its open sides filled in; the first attempts are the likeliest.

    Parameters
    ----------
    size : int, optional
        How many numbers a latent has, where that is known; None is returned where it cannot have so many.
    """
    shape = list(entry.shape)
    if shape and shape[0] is None and (len(shape) > 1 or role == "class") and not (role == "image" and len(shape) == 2):
        shape[0] = 1
    open_axes = [axis for axis, side in enumerate(shape) if side is None]
    if role == "image":
        channel = picture_axis(entry.shape)
        for axis in open_axes:
            shape[axis] = 3 if axis == channel else _nth(SIDES, attempt)
    elif role == "latent" and open_axes:
        _open_latent(shape, open_axes, attempt, size)
    else:
        for axis in open_axes:
            shape[axis] = _nth(SIZES, attempt) if axis == (1 if len(shape) > 1 else 0) and role != "class" else 1
    made = tuple(side or 1 for side in shape)
    if role == "latent" and size is not None and size != prod(made) and not (len(made) == 3 and made[2] == size):
        return None
    return made


def _open_latent(shape: list[int | None], open_axes: list[int], attempt: int, size: int | None) -> None:
    known = prod(side for side in shape if side is not None)
    spatial = len(shape) == 4 and sum(axis >= 1 for axis in open_axes) >= 2
    if spatial and 1 in open_axes and 2 in open_axes and 3 in open_axes:
        shape[1], known = LATENT_CHANNELS, LATENT_CHANNELS
        open_axes = [2, 3]
    if spatial:
        side = isqrt(size // known) if size is not None else _nth(LATENT_SIDES, attempt)
        for axis in open_axes:
            shape[axis] = side
        return
    if len(shape) == 3 and open_axes == [1]:
        shape[1] = size // known if size is not None and size > known else _nth(LAYERS, attempt)
        return
    first = open_axes[0] if open_axes[0] == (1 if len(shape) > 1 else 0) else open_axes[-1]
    for axis in open_axes:
        shape[axis] = 1
    shape[first] = max(size // known, 1) if size is not None else _nth(SIZES, attempt)


def _nth(values: tuple[int, ...], number: int) -> int:
    return values[min(number, len(values) - 1)]


ATTEMPTS = max(len(SIZES), len(SIDES), len(LATENT_SIDES), len(LAYERS))
