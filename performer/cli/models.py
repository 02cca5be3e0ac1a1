"""`performer models`: what is there, what it is good for, and how to bring more in."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from performer.cli.import_options import roles_told, scale_of, told_of
from performer.cli.options import Debug
from performer.system import folders
from performer.system.errors import Fault, counted, nearest

if TYPE_CHECKING:
    from performer.content.library import Library

Write = Annotated[bool, typer.Option("--write", help="Write beside the model even if it is one of the factory models.")]
models = typer.Typer(
    help="List, import, check and explore models; without a word more, list them.",
    pretty_exceptions_enable=False,
    invoke_without_command=True,
)


@models.callback()
def all_models(context: typer.Context) -> None:
    """List, import, check and explore models; without a word more, list them."""
    if context.invoked_subcommand is None:
        list_models()


def _library() -> Library:
    """All models by name; what is wrong with presets and shaders is said elsewhere."""
    from performer.content.library import Library, content_folders

    library = Library(audio=(), folders=content_folders())
    library.find_models()
    return library


def path_of(name: str) -> Path:
    """A model's file by its name, or the file itself. Raises Fault."""
    if name.endswith(".onnx"):
        if not Path(name).is_file():
            raise Fault(f"{name}: no such model file")
        return Path(name)
    library = _library()
    known = library.models
    if name not in known:
        if name in library.followers():
            raise Fault(f"{name!r} is a follower and makes no images; `performer check` tries its file")
        raise Fault(f"no model {name!r}{nearest(name, list(known))}; there are {', '.join(known)}")
    return known[name]


def came_along(model: Path) -> bool:
    """Whether a model is one of performer's own, which nothing changes unasked."""
    from performer.content.library import FACTORY

    return model.resolve().is_relative_to(FACTORY.resolve() / "models")


@models.command("list", epilog="Example: performer models list")
def list_models(debug: Debug = False) -> None:
    """The models and followers that presets may name, with kind, size and licence."""
    from performer.content.models.card import load
    from performer.rig.live.follower_pool import read
    from performer.system import console_table

    rows: list[tuple[str, ...]] = []
    faults: list[Fault] = []
    library = _library()
    for name, path in sorted(library.models.items()):
        facts: tuple[str, ...] = ("?", "", "", "")
        try:
            card = load(path.with_suffix(".toml"))
            facts = (card.kind, f"{card.size[0]}x{card.size[1]}", str(card.latent), card.licence)
        except Fault as fault:
            faults.append(fault)
        rows.append((name, *facts, _megabytes(path), str(path)))
    for name, path in sorted(library.followers().items()):
        knobs: tuple[str, ...] = ()
        try:
            knobs = read(path).knobs
        except Fault as fault:
            faults.append(fault)
        rows.append(
            (name, "follower", "", " ".join(knobs), _licence(path.with_suffix(".toml")), _megabytes(path), str(path))
        )
    console_table.put(
        ("model", "kind", "picture", "latent", "licence", "MB", "file"),
        rows,
        spare=("file", "latent", "MB", "licence", "picture", "kind"),
    )
    for one in faults:
        print(one)


def _megabytes(path: Path) -> str:
    try:
        return f"{path.stat().st_size / 1e6:.1f}"
    except OSError:  # it went a moment ago
        return ""


def _licence(card: Path) -> str:
    from performer.system import toml_file

    if not card.is_file():
        return "unknown"
    try:
        return str(toml_file.load(card).get("licence", "unknown"))
    except (OSError, Fault):
        return "unknown"


@models.command("import", epilog="Example: performer models import stones.onnx --name stones --licence CC-BY-4.0")
def import_model(
    file: Annotated[Path, typer.Argument(help="An ONNX file; or StyleGAN2 or 3 weights: .pt or .safetensors.")],
    name: Annotated[str, typer.Option(help="As presets will name it; the file's name when not given.")] = "",
    to: Annotated[Path | None, typer.Option(help="Folder of models; yours when not given.")] = None,
    licence: Annotated[str, typer.Option(help="Licence of the model; asked for when not given.")] = "",
    title: Annotated[str, typer.Option(help="Title for people to read.")] = "",
    latent: Annotated[
        str,
        typer.Option(help="Which input is the latent, by name; or how many numbers it has; or both: NAME=SIZE."),
    ] = "",
    role: Annotated[
        list[str] | None,
        typer.Option(
            help="What an input is for: NAME=latent, picture, noise, class, truncation, or a number that it always "
            "gets; may be repeated."
        ),
    ] = None,
    values: Annotated[
        str, typer.Option("--range", help="Value range of the output image: 0,1 or -1,1 or 0,255; or imagenet.")
    ] = "",
    input_values: Annotated[
        str, typer.Option("--input-range", help="Value range of its input images: 0,1 or -1,1 or 0,255; or imagenet.")
    ] = "",
    channels: Annotated[
        str, typer.Option(help="Channel order: rgb or bgr; or of input and output, such as bgr,rgb.")
    ] = "",
    layout: Annotated[str, typer.Option(help="Axes of the output: NCHW, NHWC, CHW, HWC, NHW or HW.")] = "",
    output: Annotated[str, typer.Option(help="Name of the output that is the image.")] = "",
    label: Annotated[int, typer.Option(min=0, help="Class, for a class-conditional model.")] = 0,
    truncation: Annotated[float, typer.Option(help="Truncation, for a model that takes one.")] = 1.0,
    force: Annotated[bool, typer.Option("--force", help="Replace a model of that name.")] = False,
    debug: Debug = False,
) -> None:
    """Find out what a model takes and makes, write its card, draw a sheet of samples."""
    from performer.content.models.layouts import LAYOUTS
    from performer.generators.tools.import_model import bring, named
    from performer.generators.tools.probe import Told

    if layout and layout.upper() not in LAYOUTS:
        raise Fault(f"--layout {layout!r}: expected one of {', '.join(LAYOUTS)}")
    orders = channels.lower().split(",") if channels else [None]
    if len(orders) > 2 or not {"rgb", "bgr", None} >= set(orders):
        raise Fault(f"--channels {channels!r}: expected rgb or bgr, or in and out, such as bgr,rgb")
    comes_out, goes_in = scale_of("--range", values), scale_of("--input-range", input_values)
    told = Told(
        latent=latent or None,
        range=comes_out.range if comes_out else None,
        layout=layout.upper() or None,
        output=output or None,
        class_=label,
        truncation=truncation,
        mean=comes_out.mean if comes_out else (),
        std=comes_out.std if comes_out else (),
        order=orders[-1],
        input_range=goes_in.range if goes_in else None,
        input_mean=goes_in.mean if goes_in else (),
        input_std=goes_in.std if goes_in else (),
        input_order=orders[0],
        roles=roles_told(role or []),
    )
    name = name or named(file)
    if file.suffix.lower() in (".pkl", ".pickle"):
        raise Fault(
            f"{file}: a pickle can run any code when it is opened, so it is refused. On a machine where you "
            "trust it, save the state dict as .safetensors, or export to ONNX"
        )
    weights = file.suffix.lower() in (".pt", ".pth", ".ckpt", ".safetensors")
    if not weights and file.suffix.lower() != ".onnx":
        raise Fault(f"{file}: expected an .onnx file, or StyleGAN weights: .pt, .pth, .ckpt or .safetensors")
    if not licence:
        licence = typer.prompt("licence of the model", default="unknown") if sys.stdin.isatty() else "unknown"
    if weights:
        from performer.lab.train.stylegan_to_onnx import bring_weights

        print(f"{file}: building the network of these weights and trying it takes a minute or two", file=sys.stderr)
        out, found = bring_weights(file, name, to or folders.data() / "models", told, licence, title, force)
    else:
        out, found = bring(file, name, to or folders.data() / "models", told, licence, title, force)
    for note in found.notes:
        print(f"note: {note}")
    card = found.card
    for line in told_of(card):
        print(f"  {line}")
    print(
        "  wrong? --force, and --latent NAME, --role NAME=ROLE, --input-range, --range, --channels, --layout, --output"
    )
    what = "picture to picture" if card["kind"] == "filter" else f"latent of {card['latent']}"
    print(f"{out}: {what}, {card['size'][0]}x{card['size'][1]}, {card['layout']}; samples: {out.with_suffix('.png')}")
    pictures = [entry["name"] for entry in card["inputs"] if entry["role"] == "image"]
    of = "" if card["kind"] != "filter" else '   of = "LAYER"'
    if of and len(pictures) > 1:
        of += "   or of = { " + ", ".join(f'"{entry}" = "LAYER"' for entry in pictures) + " }"
    print(f'in a preset: model = "{name}"{of}')


@models.command(epilog="Example: performer models check molten --fps 60")
def check(
    name: Annotated[str, typer.Argument(help="A model's name, or its file.")],
    fps: Annotated[float, typer.Option(min=1.0, help="Frames per second of your display.")] = 60.0,
    provider: Annotated[str, typer.Option(help="auto, cuda, cpu, tensorrt or openvino.")] = "auto",
    debug: Debug = False,
) -> None:
    """Is it the file it should be, where does it run, how fast, and is that enough?"""
    from performer.content.library import FACTORY
    from performer.generators.tools.import_model import judge
    from performer.generators.tools.probe import known

    path = path_of(name)
    if not path.resolve().is_relative_to(FACTORY):
        known(path)
    verdict = judge(path, provider, fps)
    print(f"{path}")
    for line in verdict.lines():
        print(f"  {line}")
    raise typer.Exit(0 if verdict.fits and verdict.as_imported is not False else 1)


@models.command(epilog="Example: performer models explore molten -o molten.jpg")
def explore(
    name: Annotated[str, typer.Argument(help="A model's name, or its file.")],
    out: Annotated[
        Path | None, typer.Option("-o", "--out", help="Image of the directions to write: a .png or .jpg file.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Random seed of the latents that are sampled.")] = 1,
    samples: Annotated[int, typer.Option(min=100, help="Number of latents to sample.")] = 900,
    taught: Annotated[
        bool,
        typer.Option(
            "--taught",
            help="Also directions for the attributes of its training source: petals, folds, curl (needs "
            "the extra `train`; takes minutes).",
        ),
    ] = False,
    provider: Annotated[str, typer.Option(help="auto, cuda, cpu, tensorrt or openvino.")] = "auto",
    write: Write = False,
    debug: Debug = False,
) -> None:
    """Find directions in a model's latents, keep them beside it as knobs, draw each as a strip."""
    from performer.content.models import directions_file as knobs
    from performer.generators.onnx.session import create
    from performer.generators.tools import find_directions as exploring
    from performer.io.record.contact_sheet import check_picture
    from performer.latent.directions import with_those_before
    from performer.system import console_table
    from performer.system.paths import writable

    path = path_of(name)
    keep = write or not came_along(path)
    if keep:
        writable(str(knobs.beside(path)))
    out = check_picture(out or f"{path.stem}.directions.jpg")
    model = create(path, provider)
    eye = None
    if taught:
        from performer.cli.train import need_torch

        need_torch()
        from performer.lab.train.picture_attributes import Traits, sources_of

        eye = Traits(sources_of(model.path), seed)
    directions, stories = exploring.explore(model, seed, samples, eye)
    directions = with_those_before(directions, model.directions)
    where = knobs.write(path, directions) if keep else path
    exploring.strips(model, directions, seed).save(out, quality=88)
    console_table.put(
        ("knob", "found by", "explains"),
        [(f"LAYER.latent.{story.name}", story.kind, f"{story.explains:.0%}") for story in stories]
        + [
            (f"LAYER.latent.{name}", f"{kind}, before", "")
            for name, kind in list(zip(directions.names, directions.kinds, strict=True))[len(stories) :]
        ],
    )
    print(f"{where}: {counted(len(directions.names), 'direction')}; strips: {out}")
    if not keep:
        print(f"{path} is a factory model: its directions are unchanged; --write replaces them")


@models.command(epilog="Example: performer models encode blossom rose.jpg --as rose")
def encode(
    name: Annotated[str, typer.Argument(help="A model that has an encoder: a VAE.")],
    picture: Annotated[Path | None, typer.Argument(help="An image to encode into a latent.")] = None,
    camera: Annotated[
        str, typer.Option(help="Encode the present image of this camera instead: its number, device or name.")
    ] = "",
    label: Annotated[str, typer.Option("--as", help="Name of the snapshot; default: the file's name.")] = "",
    tag: Annotated[list[str] | None, typer.Option(help="Tag of the snapshot; may be repeated.")] = None,
    debug: Debug = False,
) -> None:
    """Turn a picture into a place of a model's bank."""
    from performer.content import banks
    from performer.generators.media.camera import glimpse
    from performer.generators.onnx.session import create
    from performer.generators.tools.encoder import encoded

    if (picture is None) == (not camera):
        raise Fault("expected either a picture or --camera")
    model = create(path_of(name), "cpu")
    bank = banks.read(model.path.stem, model.card.latent)
    given = glimpse(camera) if picture is None else picture
    label = label or (picture.stem if picture is not None else "camera")
    place = bank.keep(encoded(model.path, given).tobytes(), label, tag or [])
    if place is None:
        raise Fault(
            f"the bank of {name} is full; delete a snapshot from {banks.bank_folder() / (model.path.stem + '.toml')}"
        )
    print(f"{place.name}: kept in {banks.write(bank)} ({counted(len(bank.places), 'place')})")


@models.command(epilog="Example: performer models breed molten --count 24 -o children.jpg --keep 3")
def breed(
    name: Annotated[str, typer.Argument(help="A model with snapshots in its bank.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="Contact sheet of parents and offspring to write.")] = Path(
        "breed.jpg"
    ),
    count: Annotated[int, typer.Option(min=1, max=96, help="Number of offspring.")] = 18,
    seed: Annotated[int, typer.Option(help="Random seed of the offspring.")] = 1,
    keep: Annotated[
        list[int] | None, typer.Option(help="Number of an offspring to save as a snapshot; may be repeated.")
    ] = None,
    tag: Annotated[str, typer.Option(help="Breed only from snapshots with this tag.")] = "",
    debug: Debug = False,
) -> None:
    """Draw offspring of the kept places, and keep those you like."""
    import numpy as np

    from performer.content import banks
    from performer.generators.onnx.session import create
    from performer.io.record.contact_sheet import Sheet
    from performer.latent.bank import child

    model = create(path_of(name), "auto")
    bank = banks.read(model.path.stem, model.card.latent)
    parents = [place for place in bank.places if not tag or tag in place.tags]
    if not parents:
        raise Fault(
            f"no snapshots of {name} yet"
            + (f" with tag {tag!r}" if tag else "")
            + ": press k while it plays, or `performer models encode`"
        )
    children = [child([place.latent for place in parents], seed, number) for number in range(1, count + 1)]
    sheet = Sheet(out, columns=6, width=192)
    for words, latent in [
        *((place.name, place.latent) for place in parents),
        *((f"offspring {i}", latent) for i, latent in enumerate(children, 1)),
    ]:
        pixels = model.paint(np.frombuffer(latent, np.float32))
        assert isinstance(pixels, np.ndarray)  # on a card only where it is asked to stay there
        sheet.add((np.clip(pixels, 0.0, 1.0).transpose(1, 2, 0) * 255.0 + 0.5).astype(np.uint8), words)
    for number in keep or []:
        if not 1 <= number <= count:
            raise Fault(f"--keep {number}: there are offspring 1 to {count}")
        bank.keep(children[number - 1], f"seed {seed} number {number}", ("bred",))
    if keep:
        print(f"kept in {banks.write(bank)}")
    print(f"{counted(len(parents), 'parent')} and {count} offspring: {sheet.save()}")
