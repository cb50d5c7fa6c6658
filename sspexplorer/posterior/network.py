"""The network from the photometry of a galaxy to the posterior of its parameters."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import torch
from torch import Tensor, nn

from sspexplorer.posterior.density import Bounds, MixtureHead, MixtureTensors
from sspexplorer.posterior.inputs import REDSHIFT_INPUTS, Reach


@dataclass(frozen=True)
class Architecture:
    """Shape of a posterior network.

    Attributes
    ----------
    width : int
        Units of each layer.
    n_blocks : int
        Residual blocks of two layers each.
    n_components : int
        Gaussians of each density.
    """

    width: int = 384
    n_blocks: int = 4
    n_components: int = 16

    def to_dict(self) -> dict:
        """Plain numbers, for a card."""
        return asdict(self)


class Block(nn.Module):
    """x + W₂ silu(W₁ norm(x)): a residual block (He et al. 2016) of two layers."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.inner = nn.Linear(width, width)
        self.outer = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        """Features of the same shape."""
        return x + self.outer(nn.functional.silu(self.inner(self.norm(x))))


class PosteriorNetwork(nn.Module):
    """Residual network with one density for each group of parameters.

    Parameters that are nearly functions of each other (mean ages by light and by mass) would lie
    on a ridge that few Gaussians can follow: they are in groups of their own.

    Parameters
    ----------
    architecture : Architecture
    groups : sequence of Bounds
        The last is that of the redshift.
    joint : Bounds, optional
        Parameters of several groups, and the redshift, whose density is learnt once more together.
    """

    def __init__(
        self, architecture: Architecture, groups: Sequence[Bounds], joint: Bounds | None = None
    ) -> None:
        super().__init__()
        width = architecture.width
        reach = Reach(groups[-1].high[0])
        self.names, self.reach = [group.names for group in groups], reach
        self.entry = nn.Linear(reach.n_inputs, width)
        self.blocks = nn.Sequential(*(Block(width) for _ in range(architecture.n_blocks)))
        self.norm = nn.LayerNorm(width)
        count = architecture.n_components
        heads = [MixtureHead(width, len(group.names), count) for group in groups]
        if joint is not None:
            heads.append(MixtureHead(width, len(joint.names), count + count // 2))
        self.heads = nn.ModuleList(heads)

    @torch.no_grad()
    def begin_with(self, other: "PosteriorNetwork") -> None:
        """Take what a network of the same shape has learnt of nearer galaxies and fewer groups.

        It answers as the other for what both are asked, but where bounds of groups differ.
        """
        mine, its = self.entry.weight, other.entry.weight
        stretch = self.reach.highest / other.reach.highest
        known, value = REDSHIFT_INPUTS[:2]
        mine.zero_()
        mine[:, : its.shape[1]] = its
        # Redshifts are told relative to the reach, from −0.5 on.
        mine[:, value] *= stretch
        mine[:, known] += its[:, value] * (stretch - 1) / 2
        self.entry.bias.copy_(other.entry.bias)
        for name in ("blocks", "norm"):
            getattr(self, name).load_state_dict(getattr(other, name).state_dict())
        for names, head in zip(self.names, self.heads, strict=False):
            if names in other.names:
                head.load_state_dict(other.heads[other.names.index(names)].state_dict())
            else:
                head.reset()

    def forward(self, inputs: Tensor, heads: slice = slice(None)) -> list[MixtureTensors]:
        """One mixture for each of ``heads``, for inputs of shape (n, n_inputs).

        There is one for each group, and at last the joint one if there is one.
        """
        features = self.norm(self.blocks(nn.functional.silu(self.entry(inputs))))
        return [head(features.float()) for head in list(self.heads)[heads]]
