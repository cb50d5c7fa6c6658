"""The device that networks are trained on: a graphics processor where there is one."""

import torch

from sspexplorer.errors import InputError


def training_device(name: str | None = None) -> torch.device:
    """Choose where to train.

    Parameters
    ----------
    name : str, optional
        As torch calls it: ``cpu``, ``cuda``, ``cuda:1``, ``mps``. By default a GPU that torch can
        use, of NVIDIA or AMD (``cuda``) or of Apple (``mps``), or else the processor.

    Raises
    ------
    InputError
        If there is no such device here.
    """
    if name is None:
        return torch.device(next((key for key, there in _there().items() if there), "cpu"))
    try:
        device = torch.device(name)
    except RuntimeError:
        raise InputError(
            f"There is no kind of device {name!r}; there are cpu, cuda, mps."
        ) from None
    if not ({"cpu": True} | _there()).get(device.type):
        raise InputError(f"torch {torch.__version__} finds no device {name!r} on this machine.")
    return device


def _there() -> dict[str, bool]:
    return {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
