"""Units that files keep in their metadata: Parquet's, astropy's header in YAML, and VOTable's."""

import io
import warnings
from collections.abc import Iterable
from functools import lru_cache
from xml.parsers.expat import ExpatError

import pyarrow as pa
import yaml
from astropy.io import votable
from astropy.io.votable.exceptions import VOTableSpecError

_ASTROPY = b"table_meta_yaml"
_VOPARQUET = b"IVOA.VOTable-Parquet.content"
_BEGIN, _END = (f"--{x}-ASTROPY-SERIALIZED-COLUMNS--" for x in ("BEGIN", "END"))


class _PlainLoader(yaml.SafeLoader):
    """YAML whose tags, which would make objects, are passed over."""


def _without_tag(loader: _PlainLoader, _tag: str, node: yaml.Node) -> object:
    if isinstance(node, yaml.MappingNode):
        return loader.construct_mapping(node, deep=True)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    return loader.construct_scalar(node)


_PlainLoader.add_multi_constructor("", _without_tag)


def field_unit(schema: pa.Schema, name: str) -> str:
    """Unit of a column by the metadata of an Arrow schema, "" if none.

    It is looked for in the field's own metadata, in what astropy writes into Parquet
    (``table_meta_yaml``) and in the VOTable header of VOParquet.
    """
    own = schema.field(name).metadata or {}
    for key in (b"unit", b"units", b"TUNIT"):
        if key in own:
            return own[key].decode("utf-8", "replace")
    metadata = schema.metadata or {}
    for key, read in ((_ASTROPY, _yaml_units), (_VOPARQUET, _votable_units)):
        if key in metadata and (unit := read(metadata[key]).get(name)):
            return unit
    return ""


def serialized_units(comments: Iterable[str]) -> dict[str, str]:
    """Units in the YAML that astropy writes into FITS comments, where FITS has no such unit.

    Parameters
    ----------
    comments : iterable of str
        Cards of the header's COMMENT.
    """
    lines = [str(card) for card in comments]
    if _BEGIN not in lines or _END not in lines:
        return {}
    text = lines[lines.index(_BEGIN) + 1 : lines.index(_END)]
    # A line that was too long for a card goes on in the next, after a backslash.
    return _yaml_units("\n".join(text).replace("\\\n", "").encode())


@lru_cache(maxsize=4)
def _yaml_units(text: bytes) -> dict[str, str]:
    """Units in astropy's header by column; none if it is damaged."""
    try:
        header = yaml.load(text.decode("utf-8", "replace"), _PlainLoader)
        found = {c["name"]: c.get("unit") for c in header["datatype"]}
    except (yaml.YAMLError, KeyError, TypeError, ValueError, AttributeError, RecursionError):
        return {}
    units = {k: v.get("unit") if isinstance(v, dict) else v for k, v in found.items()}
    return {str(name): str(unit) for name, unit in units.items() if unit is not None}


@lru_cache(maxsize=4)
def _votable_units(text: bytes) -> dict[str, str]:
    """Units in a VOTable's header by column; none if it is damaged."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            table = votable.parse(io.BytesIO(text), verify="ignore").get_first_table()
        return {f.name: str(f.unit) for f in table.fields if f.unit is not None}
    except (VOTableSpecError, ExpatError, IndexError, ValueError, OSError):
        return {}
