"""Normalising flow or mixture of Gaussians: which density learns more in the same steps, measured.

    pip install zuko
    python benchmarks/flow_or_mixture.py [--steps N]

The same network reads the same observations; on top of it is either the mixture that ships or a
neural spline flow (Durkan et al. 2019) from zuko. Printed are the mean log density of held-out
truths (nats, higher is better), seconds for a step, and seconds for quantiles of 2000 galaxies
(the mixture's in closed form, the flow's from 400 draws).
"""

import argparse
import time

import numpy as np
import torch
import zuko
from torch import nn

from sspexplorer.noise import NoiseModel
from sspexplorer.populations import SSPPrior
from sspexplorer.posterior.density import MixtureHead
from sspexplorer.posterior.groups import group_bounds
from sspexplorer.posterior.inputs import NEAR
from sspexplorer.posterior.network import Block
from sspexplorer.posterior.observing import Observer

WIDTH, N_BLOCKS, BATCH, N_TEST = 256, 3, 512, 8192


class WithDensity(nn.Module):
    """Residual network with a mixture or a flow on top."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        blocks = (Block(WIDTH) for _ in range(N_BLOCKS))
        self.trunk = nn.Sequential(nn.Linear(NEAR.n_inputs, WIDTH), nn.SiLU(), *blocks)
        if kind == "mixture":
            self.head = MixtureHead(WIDTH, 3, 16)
        else:
            self.head = zuko.flows.NSF(3, WIDTH, transforms=3, hidden_features=(128, 128))

    def forward(self, inputs: torch.Tensor):
        """Density of the three parameters in u."""
        return self.head(self.trunk(inputs))


def quantile_seconds(kind: str, network: WithDensity, inputs: torch.Tensor, bounds) -> float:
    """Time for the quartiles of 2000 galaxies."""
    start = time.perf_counter()
    with torch.inference_mode():
        density = network(inputs[:2000])
        if kind == "mixture":
            density.mixture(bounds).quantiles((0.16, 0.5, 0.84))
        else:
            np.quantile(density.sample((400,)).numpy(), (0.16, 0.5, 0.84), axis=0)
    return time.perf_counter() - start


def main() -> None:
    """Train both and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=3000)
    steps = parser.parse_args().steps
    prior = SSPPrior()
    drawn, test = prior.draw(100_000, seed=0), prior.draw(N_TEST, seed=1, held_out=True)
    bounds = group_bounds(drawn, NEAR.highest)[0]
    to_u = lambda values: torch.from_numpy(bounds.to_normal(values)).float()  # noqa: E731
    seen = Observer(NoiseModel.default(), torch.Generator().manual_seed(9)).observe(
        torch.from_numpy(test.flux), torch.from_numpy(test.redshift)
    )
    for kind in ("mixture", "flow"):
        torch.manual_seed(0)
        network = WithDensity(kind)
        generator = torch.Generator().manual_seed(1)
        observer = Observer(NoiseModel.default(), generator)
        optimiser = torch.optim.AdamW(network.parameters(), lr=1e-3, fused=True)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 1e-3, total_steps=steps)
        start = time.perf_counter()
        for _ in range(steps):
            index = torch.randint(len(drawn), (BATCH,), generator=generator)
            batch = observer.observe(
                torch.from_numpy(drawn.flux)[index], torch.from_numpy(drawn.redshift)[index]
            )
            targets = drawn.targets[index.numpy()].copy()
            targets[:, 1] += 0.04 * (torch.rand(BATCH, generator=generator).numpy() - 0.5)
            loss = -network(batch.inputs).log_prob(to_u(targets)).mean()
            optimiser.zero_grad(set_to_none=True)
            loss.backward()
            nn.utils.clip_grad_norm_(network.parameters(), 5.0)
            optimiser.step()
            schedule.step()
        seconds = (time.perf_counter() - start) / steps
        with torch.inference_mode():
            gained = network(seen.inputs).log_prob(to_u(test.targets)).mean().item()
        quantiles = quantile_seconds(kind, network, seen.inputs, bounds)
        print(f"{kind:8} {gained:+.3f} nats  {seconds * 1e3:.0f} ms a step  {quantiles:.2f} s")


if __name__ == "__main__":
    main()
