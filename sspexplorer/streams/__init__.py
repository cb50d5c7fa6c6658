"""Catalogues larger than memory: read, predicted and written a piece at a time."""
