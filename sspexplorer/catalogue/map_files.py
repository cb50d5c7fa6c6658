"""Maps of columns in YAML files: read, written, and saved beside a result."""

from collections.abc import Mapping
from pathlib import Path

import yaml

from sspexplorer.errors import InputError

_LARGEST = 1 << 20  # bytes; a map of all bands has some 10 000
_OURS = "# Columns that sspexplorer took"
HEADER = f"{_OURS}; change them and read the catalogue again with this file.\n"


class _OneOfEach(yaml.SafeLoader):
    """Safe YAML in which a key may stand only once."""


def _mapping_of_unique_keys(loader: yaml.SafeLoader, node: yaml.MappingNode) -> dict:
    loader.flatten_mapping(node)
    keys = [loader.construct_object(key, deep=True) for key, _ in node.value]
    repeated = [key for i, key in enumerate(keys) if key in keys[:i]]
    if repeated:
        raise InputError(f"{repeated[0]!r} is there twice, in line {node.start_mark.line + 1} on")
    return loader.construct_mapping(node, deep=True)


_OneOfEach.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping_of_unique_keys)


def load_map(path: str | Path) -> dict:
    """Read a map from a YAML file; it is data only, and nothing in it is run.

    Raises
    ------
    InputError
        If there is no such file, it is too large, no YAML, or no mapping.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            data = file.read(_LARGEST + 1)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.") from None
    return read_map(data, str(path))


def read_map(data: bytes, name: str) -> dict:
    """Read a map from the content of a YAML file, as :func:`load_map` does.

    Parameters
    ----------
    data : bytes
    name : str
        What its owner calls it.

    Raises
    ------
    InputError
        If it is too large, no YAML, or no mapping.
    """
    if len(data) > _LARGEST:
        raise InputError(f"{name} is larger than {_LARGEST >> 20} MB, which no map of columns is.")
    try:
        found = yaml.load(data.decode("utf-8-sig"), Loader=_OneOfEach)
    except UnicodeDecodeError:
        raise InputError(f"{name} is not text in UTF-8.") from None
    except InputError as error:
        raise InputError(f"{name}: {error}.") from None
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f" in line {mark.line + 1}" if mark else ""
        why = getattr(error, "problem", None) or type(error).__name__
        raise InputError(f"{name} is not YAML that can be read{where}: {why}.") from None
    if not isinstance(found, dict):
        raise InputError(f"{name} is not a map of columns: write lines like 'redshift: z_spec'.")
    return found


def dump_map(mapping: Mapping) -> str:
    """Write a map as YAML, one line a band."""
    lines = [HEADER]
    for key, value in mapping.items():
        if key != "bands":
            lines.append(_flow({key: value})[1:-1] + "\n")
    lines.append("bands:\n")
    for band, entry in mapping.get("bands", {}).items():
        lines.append(f"  {band}: {_flow(entry)}\n")
    return "".join(lines)


def save_map(mapping: Mapping, beside: Path, given: Path | None = None) -> tuple[Path | None, str]:
    """Write a map beside a result, as ``RESULT.columns.yaml``.

    A file there that someone wrote or changed by hand is never replaced: neither the map that was
    ``given``, nor one that does not start as ours do.

    Returns
    -------
    (path, sentence)
        The path is None where nothing was written, and the sentence says why; else it is "".
    """
    path = beside.with_name(f"{beside.name}.columns.yaml")
    try:
        if path.exists():
            if given is not None and path.samefile(given):
                return None, ""
            if not path.read_bytes().startswith(_OURS.encode()):
                return None, f"{path} is not ours, so the map of columns was not written there."
        path.write_text(dump_map(mapping), encoding="utf-8")
    except OSError as error:
        return None, f"The map of columns cannot be written to {path}: {error.strerror}."
    return path, ""


def _flow(value: object) -> str:
    text = yaml.safe_dump(
        value, default_flow_style=True, allow_unicode=True, sort_keys=False, width=10**9
    )
    return text.removesuffix("\n").removesuffix("\n...")
