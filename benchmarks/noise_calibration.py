"""Scatter in age of the paper's recipe under a noise model: how its two constants were set.

    python benchmarks/noise_calibration.py [--floor F] [--area A] [--epochs N]

Trains the paper's age network the paper's way (mocks split at random, 100 epochs, batch 32) on
mocks with the given calibration floor and aperture area, and prints σ_NMAD of log age on its test
mocks. The paper (Sect. 4) gives 0.13 dex at i = 17 and 0.46 dex at i = 21. The network is trained
alone, since the three share nothing.
"""

import argparse
import itertools

import numpy as np
import torch
from torch import nn

from sspexplorer.metrics import summary
from sspexplorer.mocks import MockSample, make_mocks
from sspexplorer.networks.model import NETWORKS
from sspexplorer.networks.recipes import RECIPES
from sspexplorer.noise import APERTURE_AREA, CALIBRATION_FLOOR, NoiseModel


def age_network() -> nn.Sequential:
    """The base network, plain."""
    widths = NETWORKS["base"]
    layers: list[nn.Module] = []
    for fan_in, fan_out in itertools.pairwise(widths):
        layers += [nn.Linear(fan_in, fan_out), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def tensors(sample: MockSample, split: str) -> tuple[torch.Tensor, torch.Tensor]:
    """Fluxes and log ages of a split."""
    part = sample.part(split)
    return torch.from_numpy(part.flux), torch.from_numpy(part.parameters[:, :1]).float()


def scatter(network: nn.Sequential, sample: MockSample) -> dict[str, float]:
    """σ_NMAD of log age (dex) on the test mocks, overall and by magnitude."""
    test = sample.part("test")
    with torch.inference_mode():
        predicted = network(torch.from_numpy(test.flux)).numpy()[:, 0]
    groups = {"all": np.full(len(test), True)}
    groups |= {f"i={m:g}": test.labels["magnitude"] == m for m in (16, 17, 18, 19, 20, 21, 22)}
    true = test.parameters[:, 0]
    return {name: summary(predicted[m], true[m])["sigma_nmad"] for name, m in groups.items()}


def train(sample: MockSample, epochs: int) -> nn.Sequential:
    """Train as printed, keeping the epoch with the least validation loss."""
    recipe = RECIPES["paper"]
    torch.manual_seed(0)
    network = age_network()
    optimiser = torch.optim.Adam(network.parameters(), lr=recipe.learning_rate, fused=True)
    x, y = tensors(sample, "train")
    x_valid, y_valid = tensors(sample, "validation")
    best, kept = np.inf, {}
    for epoch in range(1, epochs + 1):
        for index in torch.randperm(len(x)).split(recipe.batch_size):
            loss = nn.functional.mse_loss(network(x[index]), y[index])
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            optimiser.step()
        with torch.inference_mode():
            loss = nn.functional.mse_loss(network(x_valid), y_valid).item()
        if loss < best:
            best, kept = loss, {k: v.clone() for k, v in network.state_dict().items()}
            found = "  ".join(f"{k} {v:.3f}" for k, v in scatter(network, sample).items())
            print(f"epoch {epoch}: validation RMSE {loss**0.5:.3f}; σ_NMAD {found}", flush=True)
    network.load_state_dict(kept)
    return network


def main() -> None:
    """Train and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--floor", type=float, default=CALIBRATION_FLOOR)
    parser.add_argument("--area", type=float, default=APERTURE_AREA)
    parser.add_argument("--epochs", type=int, default=RECIPES["paper"].epochs)
    options = parser.parse_args()
    noise = NoiseModel.sky_limited(options.floor, options.area)
    sample = make_mocks(noise=noise, split="random")
    network = train(sample, options.epochs)
    print(f"floor {options.floor:g}, area {options.area:g}, after {options.epochs} epochs:")
    for name, value in scatter(network, sample).items():
        print(f"{name:5} σ_NMAD {value:.3f} dex")


if __name__ == "__main__":
    main()
