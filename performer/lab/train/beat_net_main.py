"""Train the beat network: `python -m performer.lab.train.beat_net_main` composes songs and plays them for it."""

from __future__ import annotations

import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Annotated

import torch
import typer

from performer.audio.beat_network import FILE
from performer.lab.train import beat_dataset
from performer.lab.train.beat_net import BeatNetwork, export, exported, train
from performer.system.errors import Fault
from performer.system.interrupts import leave_to_parent

HELD_OUT = 19  # every so manieth song is never trained on

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def hearing(
    soundfont: Annotated[list[Path], typer.Option(help="An SF2 or SF3 file; give several.")],
    work: Annotated[Path, typer.Option(help="Folder for examples and the checkpoint; those there are used again.")],
    drummers: Annotated[Path | None, typer.Option(help="The Groove MIDI Dataset's folder, for human drumming.")] = None,
    out: Annotated[Path, typer.Option("-o", "--out")] = FILE,
    songs: Annotated[int, typer.Option(help="How many to compose, of some 45 s each.")] = 1000,
    minutes: float = 60.0,
    length: Annotated[int, typer.Option(help="Frames (at about 90 a second) of one example in training.")] = 1800,
    rate: float = 2e-3,
    seed: int = 1,
    jobs: int = 1,
    channels: int = 32,
    start: Annotated[Path | None, typer.Option(help="A network to begin with, of no more channels.")] = None,
    resume: bool = False,
) -> None:
    """Train the network that hears beats and export it."""
    played = beat_dataset.performances(drummers) if drummers else []
    examples = work / "examples"
    shares = [range(first, songs, jobs) for first in range(jobs)]
    with ProcessPoolExecutor(jobs, initializer=leave_to_parent) as pool:
        list(pool.map(beat_dataset.write, shares, [examples] * jobs, [soundfont] * jobs, [played] * jobs))
    files = [examples / f"{number}.npz" for number in range(songs)]
    held_out = [file for number, file in enumerate(files) if number % HELD_OUT == 3]
    network = BeatNetwork(channels)
    checkpoint = work / "beats.pt"
    if start:
        network.widen(exported(start))
    if resume:
        network.load_state_dict(torch.load(checkpoint, weights_only=True))
    kept = [file for file in files if file not in set(held_out)]
    network = train(network, kept, held_out, minutes=minutes, seed=seed, keep=checkpoint, length=length, rate=rate)
    about = {
        "training": f"{songs} composed songs (seeds 0 to {songs - 1}) played by "
        f"{', '.join(sorted({font.stem for font in soundfont}))} and drum machines made on the spot"
        + (", a fifth of them around performances of the Groove MIDI Dataset (CC-BY-4.0)" if played else "")
    }
    export(network, out, about)


if __name__ == "__main__":
    try:
        app()
    except Fault as fault:
        print(f"performer: {fault}", file=sys.stderr)
        sys.exit(2)
