"""Write docs/api.md, the reference of the public names, from their docstrings."""

import inspect
from pathlib import Path

import sspexplorer

TARGET = Path(__file__).resolve().parent.parent / "docs" / "api.md"

INTRODUCTION = """# The public names

```python
import sspexplorer as ssp
```

brings these, each loaded when it is first used. `help(ssp.fit)` has shapes, units, and what is
raised. This page is written by `python scripts/update_api.py`.
"""


def entry(name: str) -> str:
    """One public name: how it is called, where it is defined, and what it says of itself."""
    found = getattr(sspexplorer, name)
    call = f"ssp.{name}"
    if not (inspect.isclass(found) and issubclass(found, Exception)):
        call += f"({', '.join(arguments(found))})"
    text = inspect.getdoc(found).split("\n\nParameters\n")[0].split("\n\nAttributes\n")[0]
    text = text.split("\n\nReturns\n")[0].split("\n\nRaises\n")[0]
    return f"## {name}\n\n`{call}`\n\nFrom `{found.__module__}`.\n\n{text}\n"


def arguments(function) -> list[str]:
    """Arguments as one writes them: those with a default by their name and default."""
    found = []
    for given in inspect.signature(function).parameters.values():
        plain = isinstance(given.default, (int, float, str, bool, type(None)))
        default = repr(given.default) if plain else "…"
        found.append(given.name if given.default is given.empty else f"{given.name}={default}")
    return found


def reference() -> str:
    """Text of the page."""
    names = sorted((n for n in sspexplorer.__all__ if n != "__version__"), key=str.lower)
    return "\n".join([INTRODUCTION, *map(entry, names)])


if __name__ == "__main__":
    TARGET.write_text(reference(), encoding="utf-8")
    print(f"Wrote {TARGET}")
