"""What the colours of a catalogue's picture mean where they are of flags."""

from html import escape

import panel as pn

from sspexplorer.app.kit import parts
from sspexplorer.plots.catalogue import FLAG_COLOURS


def flag_legend(reasons: tuple[tuple[int, str, int], ...]) -> pn.pane.HTML:
    """Colours of flags, what each means, and how many galaxies have it.

    Parameters
    ----------
    reasons : tuple
        See :attr:`sspexplorer.analysis.catalogue.Answers.legend`.
    """
    items = "".join(
        f'<span><i class="dot" style="background:{FLAG_COLOURS[index]}"></i>'
        f"{escape(reason)} ({n:,})</span>"
        for index, reason, n in reasons
    )
    return parts.html(f'<div class="legend">{items}</div>', "result-words")
