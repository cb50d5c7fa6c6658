"""What the page of libraries says in words: what to notice, what was left out, how to add one."""

from html import escape

import panel as pn

from sspexplorer.app.kit import parts
from sspexplorer.app.kit.theme import static_text
from sspexplorer.labels import age_text, library_label
from sspexplorer.libraries import SSPLibrary, load_library
from sspexplorer.libraries.readers import SOURCES
from sspexplorer.mocks import EBV_GRID, MAGNITUDES
from sspexplorer.plots.coverage import Coverage

MOCKS_NOTE = (
    f"Mocks: every SSP behind {len(EBV_GRID)} values of E(B−V) at {len(MAGNITUDES)} magnitudes. "
    "The paper's counts are of nine values of E(B−V), of which it prints eight."
)
_HOW_TO_ADD = (
    "With their files, or a network, you can use the paper's own libraries, or yours. Type this "
    "where SSP Explorer is installed, then open the page anew; “sspexplorer libraries remove NAME” "
    "takes one away again."
)


def coverage_words(coverage: Coverage) -> str:
    """Say what to notice: who has most SSPs, and where only some libraries have any."""
    used = coverage.used
    counts = used["library"].value_counts()
    first = counts.index[0]
    if len(counts) == 1:
        ages = (age_text(value) for value in (used["log_age"].min(), used["log_age"].max()))
        return f"{library_label(first)} has {len(used):,} SSPs from {' to '.join(ages)}."
    youngest = used.groupby("library")["log_age"].min()
    late = youngest.idxmax()
    young = used[used["log_age"] < youngest[late]]
    richest = used.groupby("library")["metallicity"].max()
    rich = used[used["metallicity"] > richest.min() + 0.01]
    has_rich = " and ".join(library_label(n) for n in rich["library"].unique())
    words = [
        "Colour: one library; grey: all in use. Histograms: the share of SSPs in each bin of "
        f"0.2 dex. {library_label(first)} gives {counts.iloc[0] / len(used):.0%} of the "
        f"{len(used):,} SSPs."
    ]
    if len(young):
        has_young = [library_label(n) for n in young["library"].unique()]
        words.append(
            f"The {len(young):,} SSPs younger than {age_text(youngest[late])} come from "
            f"{' and '.join(has_young)} alone, the {len(rich):,} with [M/H] above "
            f"{richest.min():+.2f} from {has_rich}.".replace("-", "−")
        )
    return " ".join(words)


def about(name: str) -> pn.pane.HTML:
    """What was left out of a library, what stands on a model, what to cite and its terms."""
    library = load_library(name, None)
    reasons = " ".join(library.left_out) or "nothing."
    sentences = [f"Left out of {library_label(name)}, whatever the ages: {reasons}"]
    sentences += _continued_words(library)
    if library.citation:
        sentences.append(f"Cite {library.citation}.")
    if library.terms:
        sentences.append(f"Terms: {library.terms.rstrip('.')}.")
    return parts.note(" ".join(sentences))


def _continued_words(library: SSPLibrary) -> list[str]:
    """Say which bands are not wholly of the library's own spectra; nothing if all are."""
    bands = library.continued_bands()
    if not bands:
        return []
    are = "is" if len(bands) == 1 else "are"
    return [
        f"{', '.join(bands)} {are} partly a continuation: the library's own spectra begin at "
        f"{library.provenance['continued_below']:.0f} Å."
    ]


def add_card() -> pn.Card:
    """Which libraries can be added, and the command to type for each; folded."""
    rows = [
        f"<tr><td><code>sspexplorer libraries add {name}"
        f"{'' if source.files else ' PATH'}</code></td>"
        f"<td>{escape(source.title)}</td><td>{escape(source.what_is_expected)}</td></tr>"
        for name, source in SOURCES.items()
    ]
    table = pn.pane.HTML(
        "<table><thead><tr><th>to type</th><th></th><th>files</th></tr></thead>"
        f"<tbody>{''.join(rows)}</tbody></table>",
        stylesheets=[static_text("text.css"), _TABLE_CSS],
        sizing_mode="stretch_width",
        margin=0,
    )
    return pn.Card(
        parts.stack(parts.note(_HOW_TO_ADD), table, gap=8),
        header=parts.label("Add a library"),
        collapsed=True,
        sizing_mode="stretch_width",
        margin=0,
    )


_TABLE_CSS = """
td { line-height: 1.4; text-align: left !important; white-space: normal !important; }
td:first-child { white-space: nowrap !important; }
th { text-align: left !important; }
"""
