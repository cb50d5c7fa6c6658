"""Readers of the SSP libraries that their authors distribute, and of libraries of one's own.

Every reader takes a folder or a file to the compact form that the shipped libraries have: rest
frame, 1500 to 11 000 Å (or as far as the source goes) in steps of 5 Å, float32.
"""

from sspexplorer.libraries.readers.reading import read_source
from sspexplorer.libraries.readers.sources import SOURCES, RemoteFile, Source

__all__ = ["SOURCES", "RemoteFile", "Source", "read_source"]
