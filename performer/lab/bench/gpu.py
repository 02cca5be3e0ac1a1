"""Rows K and L, and 1080p60 end to end: what an NVIDIA card is for. Without one, the same on the processor."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from performer.generators.onnx.session import create, driver
from performer.gl.render.gpu_transfer import Pinned, Shared, Ways
from performer.gl.render.image_to_rgba import Converter
from performer.gl.render.texture import ImageTexture
from performer.gl.render.wait import finish
from performer.gl.window.offscreen import Offscreen
from performer.lab.bench.row import Row, in_turn
from performer.rig.live.rig import Rig
from performer.rig.options import PlayOptions
from performer.system.errors import Fault
from performer.types.image import GpuImage, Image

ROUNDS = 120
WIDTH = 1920
HEIGHT = 1080
SIDE = 512


def where() -> str:
    """What the rows run on: the card's name, or that there is none."""
    try:
        import torch
    except ImportError:
        return "an NVIDIA driver, without PyTorch" if driver() else "no NVIDIA card here: the processor"
    return torch.cuda.get_device_name() if torch.cuda.is_available() else "no NVIDIA card here: the processor"


def upload(_seconds: float) -> list[Row]:
    """K: milliseconds to bring a 1080p picture of floats into GL, beside `.cpu()`, transpose, clip and write.

    On a card once for each way there is: shared memory, pinned memory, and through the processor.
    """
    surface = Offscreen((64, 64))
    plain = surface.ctx.texture((WIDTH, HEIGHT), 3)
    pixels = np.random.default_rng(1).random((3, HEIGHT, WIDTH), np.float32)
    source: Any = pixels
    on_card = False
    try:
        import torch

        on_card = torch.cuda.is_available()
        source = torch.from_numpy(pixels).cuda() if on_card else pixels
    except ImportError:
        pass

    def peer() -> None:
        taken = source.cpu().numpy() if on_card else source
        plain.write((np.clip(taken.transpose(1, 2, 0), 0.0, 1.0) * 255.0).astype(np.uint8).tobytes())
        finish()

    rows = []
    for kinds in ((Shared, Pinned), (Pinned,), ()) if on_card else ((),):
        converter = Converter(surface.ctx)
        converter.ways = Ways(surface.ctx, kinds)
        image = ImageTexture(surface.ctx, converter)
        number = iter(range(1 << 30))

        def ours(image: ImageTexture = image, number: Iterator[int] = number) -> None:
            if on_card:
                given = GpuImage(
                    address=source.data_ptr(),
                    size=pixels.nbytes,
                    shape=(1, *pixels.shape),
                    dtype="float32",
                    layout="NCHW",
                    low=0.0,
                    high=1.0,
                    clip=False,
                    fetch=lambda: np.asarray(source.cpu().numpy()),
                )
                image.draw(Image(given, float(next(number))), 0.0, 1.0, (WIDTH, HEIGHT))
            else:
                image.upload(pixels)
            finish()

        own, theirs = in_turn(ROUNDS // 4, ours, peer)
        way = converter.ways.name or "from the processor"
        row = Row(
            f"1080p tensor to texture, {way}",
            "ms",
            own,
            "cpu() + clip + write",
            theirs,
            ">= 3x on a card, <= 0.1 ms with CUDA-GL sharing",
            note=where(),
        )
        if on_card:
            row.met = (row.ratio or 0.0) >= 3.0 and (way != Shared.name or float(np.median(own)) <= 0.1)
        rows.append(row)
        image.release()
        converter.release()
    surface.close()
    return rows


def generator(_seconds: float) -> list[Row]:
    """L: milliseconds for a 512x512 picture of a style-based generator, beside torch eager on the same device."""
    try:
        import torch

        from performer.lab.train.export import export_network
        from performer.lab.train.nets import Generator
    except ImportError as error:
        return [
            Row(
                "512x512 generator",
                "ms",
                [],
                "torch eager",
                (),
                ">= 2x, >= 250 per second on a card",
                None,
                f"peer not installed: {error.name}",
            )
        ]
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    network = Generator(64, SIDE).eval()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "same.onnx"
        export_network(network, torch.randn(1, 64), path, "z", "image")
        path.with_suffix(".toml").write_text(
            f'title = "bench"\nkind = "gan"\nlatent = 64\nsize = [{SIDE}, {SIDE}]\nlicence = "CC0-1.0"\n'
        )
        model = create(path, "auto")
        if device.type == "cuda" and not model.provider.startswith("CUDA"):
            raise Fault("bench row L: torch runs on the card, but ONNX Runtime does not; `performer doctor` tells more")
        z = np.random.default_rng(1).standard_normal(64).astype(np.float32)
        network = network.to(device)
        tensor = torch.from_numpy(z[None]).to(device)
        before = torch.get_num_threads()
        torch.set_num_threads(1)

        def peer() -> None:
            with torch.inference_mode():
                network(tensor)
            if device.type == "cuda":
                torch.cuda.synchronize()  # both leave the picture where it was made

        ours, theirs = in_turn(ROUNDS, lambda: model.paint(z, stay=model.stays), peer)
        torch.set_num_threads(before)
    row = Row(
        "512x512 generator",
        "ms",
        ours,
        "torch eager",
        theirs,
        ">= 2x, >= 250 per second on a card",
        None,
        f"{model.provider}; {where()}",
    )
    if device.type == "cuda":
        row.met = (row.ratio or 0.0) >= 2.0 and float(np.median(ours)) <= 4.0
    return [row]


def show(seconds: float) -> list[Row]:
    """Milliseconds between pictures of the default preset at 1920x1080 and 60 per second, model, shaders and all."""
    with Rig(PlayOptions(input="demo", midi="off", size=(WIDTH, HEIGHT), headless=True, fps=60.0)) as rig:
        rig.loop.run(min(seconds, 20.0))
        figures = rig.figures()
        stats = rig.loop.stats
        samples = [stats.interval_ms(part) for part in np.linspace(0.01, 0.99, 99)]
    share = figures["missed"] / max(figures["frames"] + figures["missed"], 1)
    return [
        Row(
            "1080p60, end to end",
            "ms",
            samples,
            must="60 per second, 0.1 % missed at most",
            met=share <= 0.001,
            note=f"{share:.1%} missed; {figures['effort']}; model on {figures['provider']}",
        )
    ]


ROWS = {"K": upload, "L": generator, "1080p60": show}
