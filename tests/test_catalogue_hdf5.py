"""HDF5 as astropy, pandas, h5py and vaex lay it out, and what is refused in it."""

import io
import pickle

import h5py
import numpy as np
import pytest
from astropy import units as u
from astropy.table import MaskedColumn, Table
from catalogues import fluxes

from sspexplorer.bands import BAND_NAMES
from sspexplorer.catalogue import read_catalogue
from sspexplorer.errors import InputError

FLUX = fluxes(3)


def columns():
    return {"id": np.array([b"007", b"8", b"9"]), **dict(zip(BAND_NAMES, FLUX.T, strict=True))}


def hdf5(fill):
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        fill(file)
    return buffer.getvalue()


def as_astropy(file):
    table = Table({k: v if k == "id" else v * 1e29 * u.uJy for k, v in columns().items()})
    table["J0900"] = MaskedColumn(table["J0900"], mask=[True, False, False])
    table.write(file, path="some/where", serialize_meta=True)


def as_arrays(file):
    for name, values in columns().items():
        file[f"catalogue/{name}"] = values
    file["other/numbers"] = np.arange(5)


def as_vaex(file):
    for name, values in columns().items():
        file[f"table/columns/{name}/data"] = values


def as_pandas_fixed(file, text=False):
    """What ``DataFrame.to_hdf`` writes."""
    group = file.create_group("df")
    group.attrs["pandas_type"] = b"frame"
    group.attrs["nblocks"] = 2 if text else 1
    names = np.array([name.encode() for name in BAND_NAMES])
    group["axis0"] = np.array([b"id", *names]) if text else names
    group["axis1"] = np.arange(3)
    group["block0_items"] = names
    group["block0_values"] = FLUX
    group["block0_values"].attrs["transposed"] = True
    if text:
        kind = h5py.vlen_dtype(np.uint8)
        group["block1_items"] = np.array([b"id"])
        group.create_dataset("block1_values", (1,), kind).attrs["PSEUDOATOM"] = b"object"


def as_pandas_table(file, kind=None):
    """What ``DataFrame.to_hdf(format="table")`` writes."""
    group = file.create_group("df")
    group.attrs["pandas_type"] = b"frame_table"
    group.attrs["non_index_axes"] = np.void(pickle.dumps([(1, ["id", *BAND_NAMES])], 0))
    fields = [("index", "i8"), ("values_block_0", "f8", (57,)), ("values_block_1", "S3", (1,))]
    rows = np.zeros(3, fields)
    rows["index"], rows["values_block_0"] = np.arange(3), FLUX
    rows["values_block_1"][:, 0] = columns()["id"]
    group["table"] = rows
    names = pickle.dumps(list(BAND_NAMES), 0) if kind is None else kind
    group["table"].attrs["values_block_0_kind"] = np.bytes_(names)
    group["table"].attrs["values_block_1_kind"] = np.bytes_(pickle.dumps(["id"], 0))


@pytest.mark.parametrize(
    "layout", [as_astropy, as_arrays, as_vaex, as_pandas_fixed, as_pandas_table]
)
def test_a_layout_is_read(layout, tmp_path):
    data = hdf5(layout)
    (tmp_path / "x.h5").write_bytes(data)
    for catalogue in (read_catalogue(data, "x.hdf5"), read_catalogue(tmp_path / "x.h5")):
        expected = FLUX.copy()
        if layout is as_astropy:
            assert "own unit" in catalogue.unit_reason
            expected[0, BAND_NAMES.index("J0900")] = np.nan
        np.testing.assert_allclose(catalogue.flux, expected, rtol=1e-12)
        if "id" in catalogue.column_names:
            assert catalogue.frame()["id"].tolist() == ["007", "8", "9"]


class Harm:
    def __reduce__(self):
        return print, ("harm",)


@pytest.mark.parametrize(
    ("layout", "sentence"),
    [
        (lambda file: as_pandas_fixed(file, text=True), r"keeps id in x\.h5 as pickles"),
        (
            lambda file: as_pandas_table(file, pickle.dumps(Harm(), 0)),
            r"keeps names of columns in x\.h5 as pickles",
        ),
        (
            lambda file: file.__setitem__("J0378", h5py.ExternalLink("/etc/passwd", "/x")),
            "links are not followed",
        ),
        (
            lambda file: file.create_dataset("J0378", (4,), "u1", external=[("/etc/passwd", 0, 4)]),
            "links are not followed",
        ),
        (
            lambda file: file.create_virtual_dataset("J0378", virtual()),
            "links are not followed",
        ),
        (lambda file: None, "has no table"),
    ],
)
def test_what_would_do_harm_is_refused(layout, sentence, monkeypatch):
    def refuse(*args, **kwargs):
        raise AssertionError("unpickled")

    data = hdf5(layout)
    monkeypatch.setattr(pickle, "loads", refuse)
    with pytest.raises(InputError, match=sentence):
        read_catalogue(data, "x.h5")


def virtual():
    layout = h5py.VirtualLayout((4,), "f8")
    layout[:] = h5py.VirtualSource("/etc/passwd", "x", (4,), "f8")
    return layout


def test_a_group_that_holds_itself_is_read_once():
    def fill(file):
        as_arrays(file)
        file["catalogue/again"] = file["catalogue"]

    np.testing.assert_allclose(read_catalogue(hdf5(fill), "x.h5").flux, FLUX)
