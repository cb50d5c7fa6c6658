"""Single stellar populations through the 57 bands of J-PAS: colours, networks, predictions."""

__version__ = "0.1.0"
