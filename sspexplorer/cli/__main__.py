"""``python -m sspexplorer.cli``."""

from sspexplorer.cli import main

main()
