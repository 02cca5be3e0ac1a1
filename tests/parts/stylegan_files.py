"""Random weights in the layouts that StyleGAN files have: names and shapes as public trainings print them."""

import numpy as np
import scipy.signal
import scipy.special
import torch

BINOMIAL = np.outer([1, 3, 3, 1], [1, 3, 3, 1]) / 64.0


def tensor(rng, *shape, scale=1.0, shift=0.0):
    return torch.tensor(shift + scale * rng.standard_normal(shape), dtype=torch.float32)


def mapping(rng, latent, classes, style, layers):
    made = {}
    inside = latent
    if classes:
        made["mapping.embed.weight"], made["mapping.embed.bias"] = tensor(rng, style, classes), tensor(rng, style)
        inside += style
    for i in range(layers):
        made[f"mapping.fc{i}.weight"] = tensor(rng, style, inside, scale=100.0)
        made[f"mapping.fc{i}.bias"] = tensor(rng, style, scale=20.0)
        inside = style
    made["mapping.w_avg"] = tensor(rng, style, scale=0.3)
    return made


def styled(rng, name, inside, outside, kernel, style):
    return {
        f"{name}.weight": tensor(rng, outside, inside, kernel, kernel),
        f"{name}.bias": tensor(rng, outside, scale=0.2),
        f"{name}.affine.weight": tensor(rng, inside, style),
        f"{name}.affine.bias": tensor(rng, inside, scale=0.1, shift=1.0),
    }


def stylegan2(size=32, latent=16, style=24, classes=0, layers=2, widths=None, architecture="skip", colours=3, seed=1):
    """NVIDIA's layout (stylegan2-ada-pytorch and stylegan3)."""
    rng = np.random.default_rng(seed)
    made = mapping(rng, latent, classes, style, layers)
    sides = [2**i for i in range(2, size.bit_length())]
    widths = widths or {side: max(8, 256 // side) for side in sides}
    inside = widths[4]
    made["synthesis.b4.const"] = tensor(rng, inside, 4, 4)
    for side in sides:
        name = f"synthesis.b{side}"
        made[f"{name}.resample_filter"] = torch.tensor(BINOMIAL, dtype=torch.float32)
        if side > 4 and architecture == "resnet":
            made[f"{name}.skip.weight"] = tensor(rng, widths[side], inside, 1, 1)
            made[f"{name}.skip.resample_filter"] = torch.tensor(BINOMIAL, dtype=torch.float32)
        for conv in ("conv0", "conv1") if side > 4 else ("conv1",):
            made |= styled(rng, f"{name}.{conv}", inside, widths[side], 3, style)
            made[f"{name}.{conv}.noise_const"] = tensor(rng, side, side)
            made[f"{name}.{conv}.noise_strength"] = tensor(rng, scale=0.3)
            made[f"{name}.{conv}.resample_filter"] = torch.tensor(BINOMIAL, dtype=torch.float32)
            inside = widths[side]
        if architecture == "skip" or side == size:
            made |= styled(rng, f"{name}.torgb", inside, colours, 1, style)
    return made


def rosinality(made):
    """The same weights in the layout of rosinality's stylegan2-pytorch, as (state dict, latent_avg)."""
    other = {}
    for name, value in made.items():
        parts = name.split(".")
        if parts[0] == "mapping":
            if parts[1].startswith("fc"):
                other[f"style.{int(parts[1][2:]) + 1}.{parts[2]}"] = value
            continue
        side = int(parts[1][1:])
        power = side.bit_length() - 3  # 4 -> 0, 8 -> 1
        if parts[2] == "const":
            other["input.input"] = value[None]
        elif parts[2] == "torgb":
            layer = "to_rgb1" if side == 4 else f"to_rgbs.{power - 1}"
            tail = {
                "weight": "conv.weight",
                "bias": "bias",
                "affine.weight": "conv.modulation.weight",
                "affine.bias": "conv.modulation.bias",
            }[".".join(parts[3:])]
            other[f"{layer}.{tail}"] = (
                value[None] if tail == "conv.weight" else (value.reshape(1, -1, 1, 1) if tail == "bias" else value)
            )
            if side > 4:
                other[f"{layer}.upsample.kernel"] = torch.tensor(4 * BINOMIAL, dtype=torch.float32)
        elif parts[2] in ("conv0", "conv1"):
            number = 2 * power - 2 + int(parts[2][-1])
            layer = "conv1" if side == 4 else f"convs.{number}"
            tail = ".".join(parts[3:])
            if tail == "noise_const":
                other[f"noises.noise_{number + 1 if side > 4 else 0}"] = value[None, None]
            elif tail == "resample_filter":
                if parts[2] == "conv0":
                    other[f"{layer}.conv.blur.kernel"] = 4 * value
            elif tail == "noise_strength":
                other[f"{layer}.noise.weight"] = value.reshape(1)
            else:
                tail = {
                    "weight": "conv.weight",
                    "bias": "activate.bias",
                    "affine.weight": "conv.modulation.weight",
                    "affine.bias": "conv.modulation.bias",
                }[tail]
                other[f"{layer}.{tail}"] = value[None] if tail == "conv.weight" else value
    return other, made["mapping.w_avg"]


def stylegan3_plan(size, layers):
    """Cutoffs, half widths, rates and sizes of the paper, in arrays (appendix F.2)."""
    at = np.minimum(np.arange(layers + 1) / (layers - 2), 1.0)
    last = size / 2
    cutoff = 2.0 * (last / 2.0) ** at
    stop = 2.0**2.1 * (last * 2.0**0.3 / 2.0**2.1) ** at
    rate = np.exp2(np.ceil(np.log2(np.minimum(2 * stop, size))))
    sizes = rate + 20
    sizes[-2:] = size
    return cutoff, np.maximum(stop, rate / 2) - cutoff, rate, sizes.astype(int)


def lowpass(taps, cutoff, width, rate, radial=False):
    if not radial:
        return scipy.signal.firwin(taps, cutoff, width=width, fs=rate)
    at = (np.arange(taps) - (taps - 1) / 2) / rate
    r = np.hypot(*np.meshgrid(at, at))
    window = np.kaiser(taps, scipy.signal.kaiser_beta(scipy.signal.kaiser_atten(taps, width / (rate / 2))))
    f = scipy.special.j1(2 * cutoff * np.pi * r) / (np.pi * r) * np.outer(window, window)
    return f / f.sum()


def stylegan3(size=32, latent=16, style=24, classes=0, layers=6, radial=False, base=256, most=24, colours=3, seed=1):
    """NVIDIA's layout (stylegan3), config T or, radial, R."""
    rng = np.random.default_rng(seed)
    made = mapping(rng, latent, classes, style, 2)
    cutoff, half, rate, sizes = stylegan3_plan(size, layers)
    widths = np.rint(np.minimum(base / 2 / cutoff, most)).astype(int)
    widths[-1] = colours
    wide = int(widths[0])
    radius = rng.standard_normal((wide, 2))
    norm = np.linalg.norm(radius, axis=1, keepdims=True)
    made |= {
        "synthesis.input.weight": tensor(rng, wide, wide),
        "synthesis.input.freqs": torch.tensor(radius / (norm * np.exp(norm**2) ** 0.25) * cutoff[0]).float(),
        "synthesis.input.phases": torch.tensor(rng.random(wide) - 0.5).float(),
        "synthesis.input.transform": torch.eye(3),
        "synthesis.input.affine.weight": tensor(rng, 4, style, scale=0.3),
        "synthesis.input.affine.bias": torch.tensor([1.0, 0.0, 0.0, 0.0]),
    }
    for i in range(layers + 1):
        before, last = max(i - 1, 0), i == layers
        name = f"synthesis.L{i}_{sizes[i]}_{widths[i]}"
        made |= styled(rng, name, int(widths[before]), int(widths[i]), 1 if last or radial else 3, style)
        made[f"{name}.magnitude_ema"] = torch.tensor(0.7 + 0.1 * i)
        if last:
            continue
        finest = 2 * max(rate[before], rate[i])
        made[f"{name}.up_filter"] = torch.tensor(
            lowpass(int(6 * finest / rate[before]), cutoff[before], 2 * half[before], finest)
        ).float()
        made[f"{name}.down_filter"] = torch.tensor(
            lowpass(int(6 * finest / rate[i]), cutoff[i], 2 * half[i], finest, radial and i < layers - 2)
        ).float()
    return made
