"""How large a table may be, asked before its rows are read: small files can grow without end."""

from dataclasses import dataclass

from sspexplorer.errors import InputError

_GIB = 1 << 30
_SMALL = 64 << 20  # bytes, which any file may unpack to


@dataclass(frozen=True)
class Bounds:
    """What a file may hold.

    Attributes
    ----------
    expanded : int
        Bytes of all rows, and of what a packed file unpacks to.
    rows, columns : int
    ratio : int
        Bytes that a byte of a packed file may become, beyond the first 64 MB.
    """

    expanded: int
    rows: int
    columns: int
    ratio: int

    def check(self, name: str, rows: int, columns: int, size: int = 0) -> None:
        """Raise InputError where a file says that its table is larger.

        Parameters
        ----------
        name : str
            Of the file.
        rows, columns : int
        size : int
            Bytes of all rows; 0 if that is not known.
        """
        for have, most, what in (
            (rows, self.rows, "rows"),
            (columns, self.columns, "columns"),
        ):
            if have > most:
                raise InputError(f"{name} has {have:,} {what}; at most {most:,} are read here.")
        if size > self.expanded:
            raise InputError(
                f"The rows of {name} take {size / _GIB:.1f} GiB; at most "
                f"{self.expanded / _GIB:.3g} GiB are read here."
            )

    def unpacked(self, size: int) -> int:
        """Bytes that a packed file of ``size`` bytes may unpack to."""
        return min(self.expanded, max(_SMALL, self.ratio * size))


# For whoever reads files on their own machine: more is a mistake, or an attack.
GENEROUS = Bounds(expanded=16 * _GIB, rows=10**9, columns=100_000, ratio=1100)
UNBOUNDED = Bounds(expanded=1 << 62, rows=1 << 62, columns=1 << 62, ratio=1 << 40)
# For files that strangers bring to a server.
STRICT = Bounds(expanded=2 * _GIB, rows=20_000_000, columns=20_000, ratio=200)
