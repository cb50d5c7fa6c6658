"""What can be added: names, citations, terms, and where the files come from."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class RemoteFile:
    """A file that can be downloaded.

    Attributes
    ----------
    url : str
        Where it is; the last part of the path is the name it gets.
    sha256, md5 : str or None
        Hexadecimal checksum its distributor gives, if any.
    """

    url: str
    sha256: str | None = None
    md5: str | None = None

    @property
    def name(self) -> str:
        """Name of the file."""
        return self.url.rsplit("/", 1)[-1]


@dataclass(frozen=True)
class Source:
    """A library that its authors distribute, or the layout for one's own.

    Attributes
    ----------
    name, title : str
        Name to add it by, and the name to show.
    citation, terms : str
        What to cite, and the terms under which its authors distribute it.
    what_is_expected : str
        One sentence: the files to have, and where to get them if they cannot be downloaded.
    files : tuple of RemoteFile
        What a download fetches; empty where there is no known address.
    """

    name: str
    title: str
    citation: str
    terms: str
    what_is_expected: str
    files: tuple[RemoteFile, ...] = field(default=())


CB19_URL = "https://www.bruzual.org/CB19/ChabrierIMF/Mup100/"
PPXF_URL = "https://raw.githubusercontent.com/micappe/ppxf_data/main/"
MILES_URL = "https://zenodo.org/records/19741547/files/EMILES_SSP_v9.1.hdf5"
PPXF_SHA256 = {"xsl": "b8bee334ee1705a0d4e7ff0f161990c248d68ac1b8c8eb138b0d8c05cf37d853"}

# Z of CB19 as its file names write it, the digits after the decimal point.
_CB19_Z = "0001 0002 0005 001 002 004 006 008 010 014 017 020 030 040 060"
CB19_Z: tuple[str, ...] = tuple(_CB19_Z.split())

_XSL_CITATION = "Verro et al. (2022), A&A 661, A50; stars Verro et al. (2022), A&A 660, A34"
_EMILES_CITATION = (
    "Vazdekis et al. (2016), MNRAS 463, 3409; isochrones Girardi et al. (2000) and Pietrinferni "
    "et al. (2004)"
)
_PPXF_TERMS = (
    "Distributed with pPXF (Cappellari 2023, MNRAS 526, 3273) for non-commercial use; the terms "
    "of the models' own authors hold as well"
)


_PPXF = {
    "xsl": ("XSL", _XSL_CITATION),
    "emiles": ("E-MILES", _EMILES_CITATION),
    "fsps": (
        "FSPS",
        "Conroy, Gunn & White (2009), ApJ 699, 486; Conroy & Gunn (2010), ApJ 712, 833",
    ),
    "galaxev": ("GALAXEV", "Bruzual & Charlot (2003), MNRAS 344, 1000, 2020 version"),
}
PPXF_KEYS: tuple[str, ...] = tuple(_PPXF)


def _ppxf(key: str) -> Source:
    title, citation = _PPXF[key]
    file = f"spectra_{key}_9.0.npz"
    return Source(
        f"ppxf-{key}",
        f"{title} (pPXF)",
        f"{citation}; as packaged for pPXF by Cappellari (2023), MNRAS 526, 3273",
        _PPXF_TERMS,
        f"The file {file} of pPXF's model data.",
        (RemoteFile(PPXF_URL + file, sha256=PPXF_SHA256.get(key)),),
    )


_ALL = (
    Source(
        "emiles-full",
        "E-MILES (full)",
        _EMILES_CITATION,
        "© MILES team; provided as is; for non-commercial purposes; the notice of the MILES "
        "website to be included unchanged",
        "A folder with the official FITS files (Ech1.30Zp0.06T03.0000_iTp0.00_baseFe.fits and so "
        "on; the MILES website's model page gives them as archives to unpack), or the MILES "
        "group's EMILES_SSP_v9.1.hdf5, which can be downloaded.",
        (RemoteFile(MILES_URL, md5="5ab72bdf97cf887bcb2dbab90976e2a1"),),
    ),
    Source(
        "cb19",
        "CB19",
        "Plat et al. (2019), MNRAS 490, 978; isochrones Bressan et al. (2012), MNRAS 427, 127",
        "Distributed by G. Bruzual & S. Charlot for research",
        f"The {len(CB19_Z)} files cb2019_zZZZ_chab_hr_xmilesi_ssp.fits, with Z from 0001 to 060.",
        tuple(RemoteFile(f"{CB19_URL}cb2019_z{z}_chab_hr_xmilesi_ssp.fits") for z in CB19_Z),
    ),
    Source(
        "xsl",
        "XSL",
        _XSL_CITATION,
        "Distributed by the XSL team for research; cite Verro et al. (2022)",
        "A folder with the XSL team's FITS files (XSL_SSP_logT10.0_MH-0.2_Kroupa_PC.fits, "
        "XSL_SSP_T1.00e+10_Z0.019_Kroupa_P00.fits and so on): unpack the archives of the page "
        "on SSP models of the XSL website, xsl.astro.unistra.fr.",
    ),
    *map(_ppxf, PPXF_KEYS),
    Source(
        "own",
        "Your own",
        "",
        "",
        "One HDF5 or NetCDF-4 file with the variables wavelength, spectra, log_age and "
        "metallicity (documentation, “Libraries of your own”).",
    ),
)

SOURCES: dict[str, Source] = {source.name: source for source in _ALL}
