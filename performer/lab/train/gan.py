"""Train a GAN: non-saturating softplus loss, lazy R1, averaged weights, differentiable augmentation."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from performer.lab.train.augment import changed, policy_for
from performer.lab.train.baselines import pair
from performer.lab.train.dataset import Pictures
from performer.lab.train.distributed import World
from performer.lab.train.export import export_generator
from performer.lab.train.loop import Average, Options, Run, batch_of, laid_out, sheet_of, shrunk
from performer.system.errors import Fault

RATES = {"style": 6e-4, "dcgan": 2e-4, "mlp": 2e-4}
# Mescheder et al., 2018; every 16th step as in StyleGAN2
R1_EVERY = 16
R1_WEIGHT = 6.0
AVERAGE_STEPS = 600


def train_gan(pictures: Pictures, options: Options, world: World | None = None) -> Run:
    """Train until the options' end or Ctrl-C, then export; returns the run with its losses. Raises Fault."""
    world = world or World()
    torch.manual_seed(options.seed)
    try:
        generator, judge = (
            laid_out(net.to(world.device), torch.channels_last)
            for net in pair(options.net, options.latent, options.size)
        )
    except ValueError as error:
        raise Fault(str(error)) from None
    average = Average(generator, AVERAGE_STEPS)
    rate = RATES[options.net]
    for_generator, for_judge = (
        torch.optim.Adam(net.parameters(), rate, (0.0 if options.net == "style" else 0.5, 0.99))
        for net in (generator, judge)
    )
    run = Run(
        options,
        {
            "generator": generator,
            "judge": judge,
            "average": average.network,
            "for_generator": for_generator,
            "for_judge": for_judge,
        },
        world,
        options.net == "style",
    )
    policy = policy_for(len(pictures.pixels), options.augment)
    shown = torch.randn(32, options.latent, generator=torch.Generator().manual_seed(0)).to(world.device)
    kind = world.device.type

    def sheet() -> np.ndarray:
        with torch.no_grad():
            return sheet_of(average.network(shown, run.side))

    with run:
        while True:
            side = run.side
            real = shrunk(batch_of(pictures, run), side)
            with torch.autocast(kind, torch.bfloat16):
                with torch.no_grad():
                    fake = generator(torch.randn(len(real), options.latent).to(world.device), side).float()
                on_real, on_fake = judge(changed(real, policy)), judge(changed(fake, policy))
                judged = F.softplus(on_fake.float()).mean() + F.softplus(-on_real.float()).mean()
            loss = judged + R1_EVERY * R1_WEIGHT * 0.5 * _r1(judge, real) if run.step % R1_EVERY == 0 else judged
            _learn(world, judge, for_judge, loss)
            with torch.autocast(kind, torch.bfloat16):
                made = generator(torch.randn(len(real), options.latent).to(world.device), side)
                fooled = F.softplus(-judge(changed(made.float(), policy)).float()).mean()
            beyond = (made - made.clamp(0.0, 1.0)).square().mean()  # keeps colours from leaving the range
            _learn(world, generator, for_generator, fooled + beyond)
            average.follow(generator, run.step)
            run.note(generator=fooled, discriminator=judged)
            if not run.go_on(sheet):
                break
    run.save(sheet)
    if world.first:
        export_generator(average.network.cpu(), "gan", pictures, run)
    return run


def _learn(world: World, network: nn.Module, optimiser: torch.optim.Optimizer, loss: Tensor) -> None:
    optimiser.zero_grad(set_to_none=True)
    torch.autograd.backward(loss)
    world.average(network)
    optimiser.step()


def _r1(judge: nn.Module, real: Tensor) -> Tensor:
    """Squared gradient of the score by the picture, in float32."""
    real = real.detach().requires_grad_(True)
    (slope,) = torch.autograd.grad(judge(real).sum(), real, create_graph=True)
    return slope.square().sum(dim=(1, 2, 3)).mean()
