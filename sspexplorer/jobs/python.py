"""Further processes of this Python, beside a server."""

import os
import subprocess
import sys
from pathlib import Path

_PACKAGE_HOME = Path(__file__).resolve().parents[2]


def start(module: str, *arguments: str, threads: int = 1, **environment: str) -> subprocess.Popen:
    """Start ``python -m module`` with pipes for lines of text.

    Parameters
    ----------
    module : str
    *arguments : str
    threads : int
        Threads that numpy, torch and Arrow may use in it.
    **environment : str
        Further variables.
    """
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "ARROW_NUM_THREADS")
    paths = os.pathsep.join(filter(None, [str(_PACKAGE_HOME), os.environ.get("PYTHONPATH", "")]))
    return subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=os.environ | dict.fromkeys(names, str(threads)) | {"PYTHONPATH": paths} | environment,
        text=True,
        encoding="utf-8",
    )
