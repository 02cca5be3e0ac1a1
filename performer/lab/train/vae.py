"""Train a VAE whose decoder does not blur: losses at several sizes, edges, and, after warm-up, a judge of patches."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from performer.lab.train.dataset import Pictures
from performer.lab.train.distributed import World
from performer.lab.train.export import export_encoder, export_generator
from performer.lab.train.loop import Average, Options, Run, batch_of, laid_out, sheet_of, shrunk
from performer.lab.train.nets import Encoder, Generator, PatchDiscriminator

RATE = 8e-4
BETA = 0.020  # weight of the KL divergence per latent; small: pictures matter more than the perfect prior
WARM_STEPS = 600  # the KL divergence rises over these, and the judge of patches begins after them
PATCH_WEIGHT = 0.012  # more, and pictures please the judge instead of resembling anything
AVERAGE_STEPS = 400
PRIOR_BATCHES = 40  # by which the latents' spread is measured


class Autoencoder(nn.Module):
    """Encoder and decoder together."""

    def __init__(self, latent: int, size: int) -> None:
        super().__init__()
        self.encoder = Encoder(latent, size)
        self.decoder = Generator(latent, size, normalise=False, residual=True)


def train_vae(pictures: Pictures, options: Options, world: World | None = None) -> Run:
    """Train until the options' end or Ctrl-C, then export decoder and encoder; returns the run. Raises Fault."""
    world = world or World()
    torch.manual_seed(options.seed)
    model = laid_out(Autoencoder(options.latent, options.size).to(world.device), torch.channels_last)
    judge = laid_out(PatchDiscriminator().to(world.device), torch.channels_last)
    average = Average(model, AVERAGE_STEPS)
    for_model = torch.optim.Adam(model.parameters(), RATE, (0.5, 0.99))
    for_judge = torch.optim.Adam(judge.parameters(), 0.5 * RATE, (0.5, 0.99))
    run = Run(
        options,
        {"model": model, "judge": judge, "average": average.network, "for_model": for_model, "for_judge": for_judge},
        world,
    )
    shown = torch.randn(32, options.latent, generator=torch.Generator().manual_seed(0)).to(world.device)
    autocast = partial(torch.autocast, world.device.type, torch.bfloat16)

    def sheet() -> np.ndarray:
        with torch.no_grad():
            mean, spread = prior_of(average.network.encoder, pictures, options.seed)
            return sheet_of(average.network.decoder(shown @ spread.T + mean, run.side))

    with run:
        while True:
            whole = batch_of(pictures, run)
            side = run.side
            real = shrunk(whole, side)
            judging = run.step >= WARM_STEPS
            with autocast():
                mean, log_variance = (part.float() for part in model.encoder(whole))
                z = mean + torch.randn(mean.shape).to(mean) * (0.5 * log_variance).exp()
                made = model.decoder(z, side).float()
                # Also pictures between two, as walks will ask for them, must pass the judge.
                dreamt = model.decoder(neighbour(mean.detach()), side).float() if judging else made
            kl = 0.5 * (mean.square() + log_variance.exp() - 1.0 - log_variance).mean()
            likeness = distance(made, real)
            loss = likeness + BETA * min(1.0, (run.step + 1) / WARM_STEPS) * kl
            patches = torch.zeros((), device=world.device)
            if judging:
                with autocast():
                    judged = hinge(judge, real, (made, dreamt))
                for_judge.zero_grad(set_to_none=True)
                torch.autograd.backward(judged)
                world.average(judge)
                for_judge.step()
                with autocast():
                    patches = -(judge(made).float().mean() + 0.5 * judge(dreamt).float().mean())
                loss = loss + PATCH_WEIGHT * patches
            for_model.zero_grad(set_to_none=True)
            torch.autograd.backward(loss)
            world.average(model)
            nn.utils.clip_grad_norm_(model.parameters(), 5.0)
            for_model.step()
            average.follow(model, run.step)
            run.note(reconstruction=likeness, kl=kl, patches=patches)
            if not run.go_on(sheet):
                break
    run.save(sheet)
    if world.first:
        _export(average.network, pictures, run)
    return run


def _export(network: Autoencoder, pictures: Pictures, run: Run) -> None:
    """Decoder and encoder as ONNX, with their card; the latents of both are standard normal. Raises Fault."""
    mean, spread = (part.cpu() for part in prior_of(network.encoder, pictures, run.options.seed))
    network.cpu()
    export_generator(Fitted(network.decoder, mean, spread), "vae", pictures, run)
    export_encoder(Unfitted(network.encoder, mean, spread), run)


def hinge(judge: nn.Module, real: Tensor, made: Iterable[Tensor]) -> Tensor:
    """The loss of a judge that is to score real pictures above 1 and made ones below -1 (Lim and Ye, 2017)."""
    judged = F.relu(1.0 - judge(real)).float().mean()
    for fake in made:
        judged = judged + F.relu(1.0 + judge(fake.detach())).float().mean()
    return judged


class Fitted(nn.Module):
    """A decoder whose latents are standard normal: mean + spread * z is where the encoder puts pictures."""

    mean: Tensor
    spread: Tensor

    def __init__(self, decoder: nn.Module, mean: Tensor, spread: Tensor) -> None:
        super().__init__()
        self.decoder = decoder
        self.register_buffer("mean", mean)
        self.register_buffer("spread", spread)

    def forward(self, z: Tensor) -> Tensor:
        picture: Tensor = self.decoder(z @ self.spread.T + self.mean)
        return picture


class Unfitted(nn.Module):
    """The encoder that goes with it: where a picture lies among standard normal latents."""

    mean: Tensor
    whiten: Tensor

    def __init__(self, encoder: nn.Module, mean: Tensor, spread: Tensor) -> None:
        super().__init__()
        self.encoder = encoder
        self.register_buffer("mean", mean)
        self.register_buffer("whiten", torch.linalg.inv(spread))

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        mean, log_variance = self.encoder(image)
        return (mean - self.mean) @ self.whiten.T, log_variance


@torch.no_grad()
def prior_of(encoder: nn.Module, pictures: Pictures, seed: int) -> tuple[Tensor, Tensor]:
    """Mean (D,) and Cholesky factor (D, D) of the latents of all pictures together.

    The aggregate of what the encoder says is never quite the standard normal of theory (Rosca et al., "Distribution
    matching in variational inference", 2018); samples drawn as if it were fall where no picture lies.
    """
    rng = np.random.default_rng(seed)
    device = next(encoder.parameters()).device
    means = []
    variances = []
    for _ in range(PRIOR_BATCHES):
        mean, log_variance = encoder(torch.from_numpy(pictures.batch(rng, 32)).to(device))
        means.append(mean.float())
        variances.append(log_variance.float().exp())
    together = torch.cat(means).double()
    covariance = torch.cov(together.T) + torch.diag(torch.cat(variances).double().mean(dim=0))
    return together.mean(dim=0).float(), torch.linalg.cholesky(covariance).float()


def neighbour(means: Tensor) -> Tensor:
    """Latents on the way from each picture's to the next one's, as far out as latents lie, (N, D)."""
    part = torch.rand(means.shape[0], 1).to(means)
    other = means.roll(1, dims=0)
    between: Tensor = means + part * (other - means)
    length = (1.0 - part) * means.norm(dim=1, keepdim=True) + part * other.norm(dim=1, keepdim=True)
    outward: Tensor = length / between.norm(dim=1, keepdim=True).clamp(min=1e-6)
    return between * outward


def distance(made: Tensor, real: Tensor) -> Tensor:
    """Mean absolute difference at four sizes, plus that of the slopes: edges count as much as areas."""
    total = torch.zeros((), device=made.device)
    for _ in range(4):
        total = total + (made - real).abs().mean()
        for axis in (2, 3):
            total = total + 0.7 * (made.diff(dim=axis) - real.diff(dim=axis)).abs().mean()
        made, real = F.avg_pool2d(made, 2), F.avg_pool2d(real, 2)
    return total
