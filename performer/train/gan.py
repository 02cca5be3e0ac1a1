"""Train a light style-based GAN: softplus loss, lazy R1, averaged weights, differentiable shifts of the pictures."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from performer.train.export import export_generator
from performer.train.loop import Average, Options, Run, batch_of, fast, sheet_of, shrunk
from performer.train.nets import Discriminator, Generator
from performer.train.pictures import Pictures

RATE = 6e-4
R1_EVERY, R1_WEIGHT = 16, 6.0  # Mescheder et al., 2018; every 16th step as in StyleGAN2
AVERAGE_STEPS = 600


def train_gan(pictures: Pictures, options: Options) -> Run:
    """Train until the options' end or Ctrl-C, then export; returns the run with its losses. Raises Fault."""
    torch.manual_seed(options.seed)
    generator = Generator(options.latent, options.size).to(memory_format=torch.channels_last)
    judge = Discriminator(options.size).to(memory_format=torch.channels_last)
    average = Average(generator, AVERAGE_STEPS)
    for_generator = torch.optim.Adam(generator.parameters(), RATE, (0.0, 0.99))
    for_judge = torch.optim.Adam(judge.parameters(), RATE, (0.0, 0.99))
    run = Run(options, {"generator": generator, "judge": judge, "average": average.network,
                        "for_generator": for_generator, "for_judge": for_judge})
    shown = torch.randn(32, options.latent, generator=torch.Generator().manual_seed(0))

    def sheet():
        with torch.no_grad():
            return sheet_of(average.network(shown, run.side))

    try:
        while True:
            side = run.side
            real = shrunk(batch_of(pictures, run), side)
            z = torch.randn(len(real), options.latent)
            for_judge.zero_grad(set_to_none=True)
            with torch.autocast("cpu", torch.bfloat16):
                with torch.no_grad():
                    fake = generator(z, side).float()
                shift = _shift(run, side)
                on_real, on_fake = judge(_moved(real, shift)), judge(_moved(fake, shift))
                judged = F.softplus(on_fake.float()).mean() + F.softplus(-on_real.float()).mean()
            if run.step % R1_EVERY == 0:
                (judged + R1_EVERY * R1_WEIGHT * 0.5 * _r1(judge, real)).backward()
            else:
                judged.backward()
            for_judge.step()
            for_generator.zero_grad(set_to_none=True)
            with torch.autocast("cpu", torch.bfloat16):
                made = generator(torch.randn(len(real), options.latent), side)
                fooled = F.softplus(-judge(_moved(made.float(), _shift(run, side))).float()).mean()
            beyond = (made - made.clamp(0.0, 1.0)).square().mean()  # keeps colours from leaving the range
            (fooled + beyond).backward()
            for_generator.step()
            average.follow(generator, run.step)
            run.note(generator=fooled, discriminator=judged)
            if not run.go_on(sheet):
                break
    except KeyboardInterrupt:
        print("interrupted; exporting what there is", flush=True)
    run.save(sheet)
    export_generator(average.network, "gan", pictures, run)
    return run


def _r1(judge: Discriminator, real: Tensor) -> Tensor:
    """Squared gradient of the score by the picture, in float32."""
    real = real.detach().requires_grad_(True)
    (slope,) = torch.autograd.grad(judge(real).sum(), real, create_graph=True)
    return slope.square().sum(dim=(1, 2, 3)).mean()


def _shift(run: Run, side: int) -> tuple[int, int]:
    most = side // 8
    return tuple(int(v) for v in run.rng.integers(-most, most + 1, 2))  # type: ignore[return-value]


def _moved(pictures: Tensor, shift: tuple[int, int]) -> Tensor:
    """The same shift for real and made pictures (Zhao et al., "Differentiable augmentation", 2020); edges mirrored."""
    y, x = shift
    pad = (max(x, 0), max(-x, 0), max(y, 0), max(-y, 0))
    height, width = pictures.shape[2:]
    padded = F.pad(pictures, pad, mode="reflect")
    return fast(padded[:, :, pad[3]:pad[3] + height, pad[1]:pad[1] + width])
