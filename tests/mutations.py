"""Mutated catalogues of every format, and what the page makes of one."""

import io
import random
import re
import time
from collections.abc import Callable, Iterator
from html import unescape

from visitors import Visitor

from sspexplorer.catalogue import read_catalogue
from sspexplorer.resources import data_path

FORMS = ("csv", "tsv", "txt", "ecsv", "tbl", "fits", "vot", "parquet", "feather", "h5")
FORMS += ("csv.gz", "fits.gz", "vot.gz")
MOST_SECONDS = 10.0  # until a file is answered
_ROWS = 60
_PROBLEM = re.compile(r'class="problem" role="alert">(.*?)</div>', re.S)
_QUESTIONS = ("What are the numbers of the bands?", "Which photometry should be read?")
_ASKED = re.compile(rf"<h2>(?:{'|'.join(map(re.escape, _QUESTIONS))})</h2><p>(.*?)</p>", re.S)
_PREDICTED = re.compile(r"((?:rows were|row was) (?:not )?predicted[^<]*)")

Mutation = Callable[[bytes, random.Random], bytes]


def _somewhere(data: bytes, chance: random.Random) -> tuple[int, int]:
    """A piece of a file, small more often than large."""
    begin = chance.randrange(len(data))
    return begin, min(len(data), begin + int(2 ** chance.uniform(0, 12)))


def _cut(data: bytes, chance: random.Random) -> bytes:
    return data[: chance.randrange(len(data))]


def _flip(data: bytes, chance: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(chance.choice((1, 3, 30, 300))):
        changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
    return bytes(changed)


def _drop(data: bytes, chance: random.Random) -> bytes:
    begin, end = _somewhere(data, chance)
    return data[:begin] + data[end:]


def _repeat(data: bytes, chance: random.Random) -> bytes:
    begin, end = _somewhere(data, chance)
    return data[:end] + data[begin:end] * chance.choice((1, 2, 500)) + data[end:]


def _noise(data: bytes, chance: random.Random) -> bytes:
    begin, end = _somewhere(data, chance)
    return data[:begin] + chance.randbytes(end - begin) + data[end:]


def _blank(data: bytes, chance: random.Random) -> bytes:
    begin, end = _somewhere(data, chance)
    return data[:begin] + chance.choice((b"\0", b" ", b"9", b"\n")) * (end - begin) + data[end:]


def _move(data: bytes, chance: random.Random) -> bytes:
    begin, end = _somewhere(data, chance)
    rest, place = data[:begin] + data[end:], chance.randrange(len(data))
    return rest[:place] + data[begin:end] + rest[place:]


def _number(data: bytes, chance: random.Random) -> bytes:
    """Another number in the place of one: a count of rows, a width, a flux."""
    found = list(re.finditer(rb"\d+", data[:8192]))
    if not found:
        return _flip(data, chance)
    one = chance.choice(found)
    new = chance.choice((b"0", b"-1", b"99999999999", b"1e400", b"nan", b"4294967295"))
    return data[: one.start()] + new + data[one.end() :]


MUTATIONS: tuple[Mutation, ...] = (_cut, _flip, _drop, _repeat, _noise, _blank, _move, _number)


def unharmed() -> bytes:
    """The catalogue whose files are mutated, as text."""
    example = data_path("examples", "simulated_galaxies.csv").read_bytes().splitlines(True)
    return b"".join(example[: _ROWS + 1])


def mutated(n_files: int, seed: int) -> Iterator[tuple[str, bytes]]:
    """Names and contents of files, the formats by turns; the same for the same seed."""
    chance = random.Random(seed)
    catalogue = read_catalogue(unharmed(), "x.csv")
    whole = {}
    for form in FORMS:
        file = io.BytesIO()
        catalogue.write(file, form)
        whole[form] = file.getvalue()
    for number in range(n_files):
        form, data = FORMS[number % len(FORMS)], whole[FORMS[number % len(FORMS)]]
        for _ in range(chance.choice((1, 1, 2, 4))):
            data = chance.choice(MUTATIONS)(data, chance) or b"\n"
        yield f"{number}.{form}", data


async def answer(visitor: Visitor, name: str, data: bytes) -> tuple[str, str]:
    """Upload a file to the page "Your catalogue".

    Returns
    -------
    (outcome, sentence)
        "predicted", "asked" or "refused", and what the page says of it.
    """
    _forget(visitor)
    await visitor.upload(name, data)
    await visitor.until(lambda: bool(_outcome(visitor)) or f"<h2>{name}, " in _words(visitor))
    if not _outcome(visitor):
        await visitor.press("Predict")
        await visitor.until(lambda: bool(_outcome(visitor)))
    outcome, said = _outcome(visitor), _said(visitor)
    if f"<h2>{name}, " in _words(visitor) or outcome == "asked":
        # The page has another drop zone then.
        for key, _ in list(visitor.of_type("FileDropper")):
            del visitor.models[key]
        await visitor.press("Another file")
        await visitor.until(lambda: any(visitor.of_type("FileDropper")))
    return outcome, said


async def fuzz(url: str, files: Iterator[tuple[str, bytes]]) -> list[tuple[float, str, str, str]]:
    """Upload files one after the other: seconds, name, outcome and sentence of each."""
    visitor, found = await Visitor.come(url, "catalogue"), []
    await visitor.until(lambda: any(visitor.of_type("FileDropper")))
    for name, data in files:
        begun = time.monotonic()
        outcome, said = await answer(visitor, name, data)
        found.append((time.monotonic() - begun, name, outcome, said))
    visitor.leave()
    return found


def _forget(visitor: Visitor) -> None:
    """Forget what the page said of the last file."""
    for key, _ in list(visitor.of_type("HTML", "Button")):
        del visitor.models[key]


def _words(visitor: Visitor) -> str:
    return unescape(visitor.words)


def _outcome(visitor: Visitor) -> str:
    words = _words(visitor)
    if _PROBLEM.search(words):
        return "refused"
    if any(question in words for question in _QUESTIONS):
        return "asked"
    return "predicted" if _PREDICTED.search(words) else ""


def _said(visitor: Visitor) -> str:
    for pattern in (_PROBLEM, _ASKED, _PREDICTED):
        if found := pattern.search(_words(visitor)):
            return unescape(found[1])
    return ""
