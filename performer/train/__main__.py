"""`python -m performer.train gan|vae ...`: train a model on drawn pictures or on a folder of them."""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import Annotated, Literal

import torch
import typer

from performer.errors import Fault
from performer.train.gan import train_gan
from performer.train.loop import Options
from performer.train.pictures import drawn, found
from performer.train.vae import train_vae

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command(epilog="Example: python -m performer.train gan --source marble,flow -o models/molten.onnx --minutes 30")
def train(
    kind: Annotated[str, typer.Argument(help="gan or vae.")],
    pictures: Annotated[Path | None, typer.Argument(help="A folder of pictures.")] = None,
    source: Annotated[str, typer.Option(help="Instead of a folder: marble, flow, nebula, cells, or several.")] = "",
    out: Annotated[Path, typer.Option("-o", "--out", help="models/NAME.onnx")] = Path("models/model.onnx"),
    size: int = 128,
    latent: int = 64,
    count: Annotated[int, typer.Option(help="How many pictures to draw.")] = 8000,
    steps: int | None = None,
    minutes: float | None = None,
    batch: int = 16,
    seed: int = 1,
    resume: bool = False,
    title: str = "",
    licence: Annotated[str, typer.Option(help="Of the folder's pictures; goes into the card.")] = "unknown",
    threads: int | None = None,
) -> None:
    """Train a model and export it with its card; Ctrl-C exports what there is."""
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    kinds: dict[str, Literal["gan", "vae"]] = {"gan": "gan", "vae": "vae"}
    if kind not in kinds:
        raise Fault(f"{kind!r}: expected gan or vae")
    if size not in (32, 64, 128, 256):
        raise Fault(f"--size {size}: expected 32, 64, 128 or 256")
    if (pictures is None) == (not source):
        raise Fault("expected either a folder of pictures or --source")
    if steps is None and minutes is None:
        raise Fault("expected --steps or --minutes")
    if threads:
        torch.set_num_threads(threads)
    material = found(pictures, size, licence) if pictures else drawn(tuple(source.split(",")), size, count, seed)
    words = [f"models/{out.name}" if a == str(out) else a for a in sys.argv[1:] if a != "--resume"]
    options = Options(out, size, latent, steps, minutes, batch, seed, resume, title,
                      "python -m performer.train " + " ".join(words))
    (train_gan if kind == "gan" else train_vae)(material, options)


if __name__ == "__main__":
    try:
        app()
    except Fault as fault:
        print(f"performer: {fault}", file=sys.stderr)
        sys.exit(2)
