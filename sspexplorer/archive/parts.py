"""A large question in parts that a service answers whole: by tile, and within a tile."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sspexplorer.archive.adql import Query, by_ids

IDS_AT_ONCE = 500


@dataclass(frozen=True)
class Part:
    """A part of a question.

    Attributes
    ----------
    query : Query
        The whole question.
    tiles : tuple of int
        Tiles of this part; none for all of them.
    ids : tuple of (int, int)
        Objects of this part; none for all.
    modulus, rest : int
        Of a tile's objects, those whose number leaves this rest.
    n_rows : int or None
        Rows that are expected, where they were counted.
    """

    query: Query
    tiles: tuple[int, ...] = ()
    ids: tuple[tuple[int, int], ...] = ()
    modulus: int = 1
    rest: int = 0
    n_rows: int | None = None

    @property
    def adql(self) -> str:
        """Text of the query of this part."""
        query = self.query
        if self.ids:
            query = by_ids(query, self.ids)
        if self.tiles:
            query = query.also(f"m.tile_id IN ({', '.join(f'{t:d}' for t in self.tiles)})")
        if self.modulus > 1:
            query = query.also(f"MOD(m.number, {self.modulus:d}) = {self.rest:d}")
        return query.adql

    @property
    def title(self) -> str:
        """Words for the part."""
        if self.ids:
            return f"{len(self.ids):,} objects"
        if not self.tiles:
            return "all rows"
        named = f"tile {self.tiles[0]}" if len(self.tiles) == 1 else f"{len(self.tiles)} tiles"
        return named if self.modulus == 1 else f"{named}, part {self.rest + 1} of {self.modulus}"

    def halves(self) -> tuple["Part", "Part"]:
        """Two parts that together are this one."""
        if len(self.ids) > 1:
            middle = len(self.ids) // 2
            return self._with_ids(self.ids[:middle]), self._with_ids(self.ids[middle:])
        if len(self.tiles) > 1:
            middle = len(self.tiles) // 2
            return Part(self.query, self.tiles[:middle]), Part(self.query, self.tiles[middle:])
        twice = 2 * self.modulus
        first, second = (
            Part(self.query, self.tiles, self.ids, twice, rest)
            for rest in (self.rest, self.rest + self.modulus)
        )
        return first, second

    def _with_ids(self, ids: tuple[tuple[int, int], ...]) -> "Part":
        return Part(self.query, ids=ids, n_rows=len(ids))


def in_lists(query: Query, ids: Sequence[tuple[int, int]], most: int) -> list[Part]:
    """Parts of a list of objects, those of a tile together."""
    ordered = sorted(ids)
    size = max(1, min(IDS_AT_ONCE, most))
    chunks = [tuple(ordered[i : i + size]) for i in range(0, len(ordered), size)]
    return [Part(query, ids=chunk, n_rows=len(chunk)) for chunk in chunks]


def by_tile(query: Query, counts: Mapping[int, int], most: int) -> list[Part]:
    """Parts of at most so many rows each, as far as whole tiles allow; a large tile in pieces.

    Parameters
    ----------
    query : Query
    counts : mapping of int to int
        Rows in each tile.
    most : int
        Rows that may be in a part.
    """
    total = sum(counts.values())
    if total <= most:
        return [Part(query, n_rows=total)] if total else []
    parts: list[Part] = []
    together: list[int] = []
    for tile, n in sorted(counts.items()):
        if n > most:
            pieces = -(-n // most)
            parts += [
                Part(query, (tile,), modulus=pieces, rest=rest, n_rows=n // pieces)
                for rest in range(pieces)
            ]
            continue
        if sum(counts[t] for t in together) + n > most:
            parts.append(_together(query, together, counts))
            together = []
        together.append(tile)
    return [*parts, *([_together(query, together, counts)] if together else [])]


def _together(query: Query, tiles: Iterable[int], counts: Mapping[int, int]) -> Part:
    chosen = tuple(tiles)
    return Part(query, chosen, n_rows=sum(counts[t] for t in chosen))
