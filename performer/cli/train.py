"""`performer train` and `performer evaluate`; PyTorch is imported only when one of them runs."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from performer.cli.models import Write, came_along, path_of
from performer.cli.options import Debug
from performer.system import folders
from performer.system.errors import Fault, counted, nearest
from performer.system.extras import install_line

SIZES = (32, 64, 128, 256, 512)
Folder = Annotated[Path | None, typer.Argument(help="A folder of pictures, searched through.")]
Source = Annotated[
    str,
    typer.Option(
        help="Synthetic images instead of a folder: marble, flow, nebula, "
        "cells, forms, blossom, or several with commas."
    ),
]
Out = Annotated[
    Path | None,
    typer.Option("-o", "--out", help="The model to write: NAME.onnx; model.onnx among your models when not given."),
]
Size = Annotated[int, typer.Option(help="Pixels on a side: 64, 128, 256 or 512.")]
Latent = Annotated[int, typer.Option(min=2, max=1024, help="Numbers in a latent.")]
Count = Annotated[int, typer.Option(min=8, help="Number of images that a source draws.")]
Steps = Annotated[int | None, typer.Option(min=1, help="Stop after so many steps.")]
Minutes = Annotated[float | None, typer.Option(min=0.01, help="Stop after so many minutes.")]
Batch = Annotated[int, typer.Option(min=2, help="Batch size per process.")]
Seed = Annotated[int, typer.Option(help="Random seed.")]
Resume = Annotated[bool, typer.Option("--resume", help="Resume from the checkpoint beside the model.")]
Force = Annotated[bool, typer.Option("--force", help="Start again, replacing a training of that name.")]
Title = Annotated[str, typer.Option(help="For the card; the file's name when not given.")]
Licence = Annotated[str, typer.Option(help="Licence of the images, for the card.")]
Threads = Annotated[int | None, typer.Option(min=1, help="Processor threads; all when not given.")]

train = typer.Typer(
    help="Train a model from pictures, or a follower from moves, and export it with its card (extra: train).",
    pretty_exceptions_enable=False,
    no_args_is_help=True,
)


@train.command(epilog="Example: performer train gan ~/pictures/stones -o models/stones.onnx --minutes 60")
def gan(
    pictures: Folder = None,
    source: Source = "",
    out: Out = None,
    size: Size = 128,
    latent: Latent = 64,
    count: Count = 8000,
    steps: Steps = None,
    minutes: Minutes = None,
    batch: Batch = 16,
    seed: Seed = 1,
    resume: Resume = False,
    force: Force = False,
    title: Title = "",
    licence: Licence = "unknown",
    threads: Threads = None,
    net: Annotated[str, typer.Option(help="style (the default), or a baseline: dcgan, mlp.")] = "style",
    augment: Annotated[
        str,
        typer.Option(help="Augmentation: none, shift, all, or auto (all for small data sets)."),
    ] = "auto",
    debug: Debug = False,
) -> None:
    """A generator that learns by fooling a discriminator. Ctrl-C exports what there is."""
    need_torch()
    from performer.lab.train.augment import POLICIES
    from performer.lab.train.baselines import NETS
    from performer.lab.train.gan import train_gan

    for option, word, known in (("--net", net, NETS), ("--augment", augment, ("auto", *POLICIES))):
        if word not in known:
            raise Fault(f"{option} {word!r}: expected {', '.join(known)}{nearest(word, known)}")
    _begin(
        train_gan,
        pictures,
        source,
        count,
        threads,
        licence,
        force,
        out=out or _among_yours("model.onnx"),
        size=size,
        latent=latent,
        steps=steps,
        minutes=minutes,
        batch=batch,
        seed=seed,
        resume=resume,
        title=title,
        net=net,
        augment=augment,
    )


@train.command(epilog="Example: performer train vae --source blossom -o models/blossom.onnx --minutes 45")
def vae(
    pictures: Folder = None,
    source: Source = "",
    out: Out = None,
    size: Size = 128,
    latent: Latent = 64,
    count: Count = 8000,
    steps: Steps = None,
    minutes: Minutes = None,
    batch: Batch = 16,
    seed: Seed = 1,
    resume: Resume = False,
    force: Force = False,
    title: Title = "",
    licence: Licence = "unknown",
    threads: Threads = None,
    debug: Debug = False,
) -> None:
    """A decoder and an encoder, which also turns a picture into a latent. Ctrl-C exports what there is."""
    need_torch()
    from performer.lab.train.vae import train_vae

    _begin(
        train_vae,
        pictures,
        source,
        count,
        threads,
        licence,
        force,
        out=out or _among_yours("model.onnx"),
        size=size,
        latent=latent,
        steps=steps,
        minutes=minutes,
        batch=batch,
        seed=seed,
        resume=resume,
        title=title,
    )


@train.command(epilog="Example: performer train follower moves/ -o models/me.follower.onnx --minutes 10")
def follower(
    moves: Annotated[list[Path], typer.Argument(help="Recordings of `play --record-moves`, or folders of them.")],
    out: Annotated[
        Path | None,
        typer.Option("-o", "--out", help="NAME.follower.onnx; me.follower.onnx among your models when not given."),
    ] = None,
    knobs: Annotated[str, typer.Option(help="Parameters to learn, with commas; default: all that were moved.")] = "",
    steps: Steps = None,
    minutes: Minutes = None,
    batch: Annotated[int, typer.Option(min=1, help="Excerpts of music per step.")] = 32,
    seed: Seed = 1,
    resume: Resume = False,
    force: Force = False,
    title: Title = "",
    licence: Annotated[str, typer.Option(help="Licence of the moves, for the card.")] = "unknown",
    threads: Threads = None,
    debug: Debug = False,
) -> None:
    """A small network that moves knobs to music as your hands did, improvising. Ctrl-C exports what there is."""
    need_torch()
    import torch

    from performer.lab.train.follower import train_follower
    from performer.lab.train.loop import Options
    from performer.lab.train.moves_dataset import gather

    out = out or _among_yours("me.follower.onnx")
    if out.suffix != ".onnx":
        raise Fault(f"--out {out}: expected a name that ends in .onnx")
    if not out.name.endswith(".follower.onnx"):
        out = out.with_suffix(".follower.onnx")
    if steps is None and minutes is None:
        raise Fault("expected --steps or --minutes")
    if threads:
        torch.set_num_threads(threads)
    _anew(out, resume, force)
    pairs = gather(moves, [knob for knob in knobs.replace(" ", "").split(",") if knob], licence)
    print(
        f"{pairs.seconds / 60.0:.1f} minutes of {', '.join(pairs.knobs)} from {counted(pairs.files, 'recording')}",
        flush=True,
    )
    train_follower(pairs, Options(out, 0, 0, steps, minutes, batch, seed, resume, title, _words(out)))
    print(f"{out}: exported, with its card; what it plays: {out.with_suffix('.png')}")
    print(
        f'in a preset: follower = "{out.name.split(".")[0]}", and routes from '
        + ", ".join(f'"follower.{knob}"' for knob in pairs.knobs)
    )


@train.command(epilog="Example: performer train moves song.flac knobs.mid -o moves/song.npz --preset tidal")
def moves(
    song: Annotated[str, typer.Argument(help="A sound file, or demo.")],
    automation: Annotated[str, typer.Argument(help="A MIDI file of controllers, as a sequencer exports them.")],
    out: Annotated[str, typer.Option("-o", "--out", help="The recording to write: NAME.npz, or a folder.")],
    preset: Annotated[
        str | None, typer.Option(help="A preset whose routes the controllers move; its parameters are recorded too.")
    ] = None,
    debug: Debug = False,
) -> None:
    """Record moves offline: a song, and a MIDI file of what hands do to it. For `train follower`."""
    from performer.rig.offline import rehearse

    print(rehearse(song, automation, out, preset))


@train.command(epilog="Example: performer train rehearse moves/ --count 56")
def rehearse(
    folder: Annotated[Path, typer.Argument(help="Folder for the recordings.")],
    count: Annotated[int, typer.Option(min=1, help="Number of songs.")] = 56,
    seed: Annotated[int, typer.Option(help="Random seed of the first song.")] = 0,
    debug: Debug = False,
) -> None:
    """Made-up songs, and a puppeteer of rules who plays to them: what the default follower is taught with."""
    from rich.progress import track

    from performer.lab.train.synthetic_moves import put

    try:
        for number in track(range(seed, seed + count), "rehearsing"):
            put(number, folder)
    except OSError as error:
        raise Fault(f"{folder}: cannot write: {error.strerror}") from None


def evaluate(
    model: Annotated[str, typer.Argument(help="A model's name, or its file.")],
    pictures: Annotated[Path | None, typer.Option(help="Folder of the images it was trained on.")] = None,
    source: Annotated[str, typer.Option(help="Or the source it was trained on; the card's when not given.")] = "",
    count: Annotated[int, typer.Option(min=64, help="Number of samples, and of images to compare them with.")] = 1000,
    seed: Seed = 1,
    missed: Annotated[
        str | None, typer.Option(help="Contact sheet of training images that no sample comes near, to this file.")
    ] = None,
    write: Write = False,
    debug: Debug = False,
) -> None:
    """Measure a model: likeness, diversity, coverage, smoothness, speed; the figures go into a card of yours."""
    need_torch()
    from performer.lab.train.evaluate import measure

    path = path_of(model)
    keep = write or not came_along(path)
    measure(path, pictures, source, count, seed, missed, keep)
    if not keep:
        print(f"{path} is a factory model: its card is unchanged; --write adds the figures")


def _among_yours(name: str) -> Path:
    """A file in the person's own folder of models, where presets find it."""
    return folders.data() / "models" / name


def _anew(out: Path, resume: bool, force: bool) -> None:
    """Raises Fault where an earlier training would be lost."""
    there = next((path for path in (out, out.with_suffix(".ckpt")) if path.exists()), None)
    if there is not None and not (resume or force):
        raise Fault(
            f"{there}: already exists; --resume continues that training, --force replaces it, or take "
            "another name with -o"
        )


def _words(out: Path) -> str:
    """The command as it may stand in a card: without folders of this machine."""
    words = [
        f"models/{out.name}" if word == str(out) else Path(word).name if Path(word).is_absolute() else word
        for word in sys.argv[1:]
        if word not in ("--resume", "--force")
    ]
    return "performer " + " ".join(words)


def need_torch() -> None:
    """Raises Fault where the packages that training needs are missing."""
    try:
        import onnxscript  # noqa: F401
        import tensorboardX  # noqa: F401
        import torch  # noqa: F401
    except ImportError as error:
        raise Fault(f"training needs the extra `train` ({error.name} is missing): {install_line('train')}") from None


def _begin(training, pictures, source, count, threads, licence, force, **options) -> None:  # type: ignore[no-untyped-def]
    import torch

    from performer.lab.train.dataset import drawn, found
    from performer.lab.train.distributed import World
    from performer.lab.train.loop import Options

    out = options["out"]
    size = options["size"]
    if size not in SIZES:
        raise Fault(f"--size {size}: expected {', '.join(map(str, SIZES))}")
    if out.suffix != ".onnx":
        raise Fault(f"--out {out}: expected a name that ends in .onnx")
    if (pictures is None) == (not source):
        raise Fault("expected either a folder of pictures or --source")
    if options["steps"] is None and options["minutes"] is None:
        raise Fault("expected --steps or --minutes")
    try:  # before minutes of drawing
        out.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Fault(f"--out {out}: cannot make this folder: {error.strerror}") from None
    if threads:
        torch.set_num_threads(threads)
    _anew(out, options["resume"], force)
    seed = options["seed"]
    material = (
        found(pictures, size, licence, seed)
        if pictures is not None
        else drawn(tuple(source.replace(" ", "").split(",")), size, count, seed)
    )
    world = World()
    try:
        training(material, Options(**options, command=_words(out)), world)
    finally:
        world.leave()
    if world.first:
        print(f"{out}: exported, with its card; samples: {out.with_suffix('.png')}")
