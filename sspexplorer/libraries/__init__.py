"""Libraries of single stellar populations: those that ship, and those that were added."""

from sspexplorer.libraries.library import (
    DEFAULT_AGE_RANGE,
    LIBRARY_NAMES,
    SHIPPED_NAMES,
    SSPLibrary,
    added_folder,
    in_order,
    library_names,
    library_path,
    library_title,
    library_version,
    load_library,
    read_library,
    whole_library_names,
    write_library,
)

__all__ = [
    "DEFAULT_AGE_RANGE",
    "LIBRARY_NAMES",
    "SHIPPED_NAMES",
    "SSPLibrary",
    "added_folder",
    "in_order",
    "library_names",
    "library_path",
    "library_title",
    "library_version",
    "load_library",
    "read_library",
    "whole_library_names",
    "write_library",
]
