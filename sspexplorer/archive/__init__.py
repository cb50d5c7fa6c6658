"""Galaxies from the archive of J-PAS: asked for in its query language, kept as a catalogue.

>>> from sspexplorer.archive.fetching import fetch  # doctest: +SKIP
>>> fetch(service("minijpas"), Selection(brighter=20), out="bright.parquet")  # doctest: +SKIP
"""
