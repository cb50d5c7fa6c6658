"""Words and small tables of the map of SEDs."""

import numpy as np
import pandas as pd
import panel as pn

from sspexplorer.analysis.sed_map import MAX_PREDICTED, MapGalaxies, Region
from sspexplorer.app import cache
from sspexplorer.app.kit import parts
from sspexplorer.embedding import load_embedding
from sspexplorer.labels import (
    LIBRARY_LABELS,
    PARAMETER_NAMES,
    PARAMETER_UNITS,
    library_label,
    model_title,
    with_unit,
)
from sspexplorer.libraries import LIBRARY_NAMES
from sspexplorer.metrics import NMAD_TO_SIGMA
from sspexplorer.mocks import PARAMETERS
from sspexplorer.plots.embedding import LIBRARY
from sspexplorer.plots.style import PARAMETER_COLOURS, library_dots
from sspexplorer.posterior.likeness import UNLIKE

_FAITHFUL_NOTE = (
    "Tested on mocks of SSPs that neither UMAP nor the network has seen. Trustworthiness is 1 "
    "where all neighbours on the plane are neighbours among SEDs; overlap is the part of the "
    "{k} nearest neighbours that are the same. What noise decides, no map keeps: bright mocks are "
    "placed much better than all."
)


def map_caption(n: int, colour: str, galaxies: MapGalaxies | None) -> str:
    """What to notice on the map.

    Parameters
    ----------
    n : int
        Mocks in sight.
    colour : str
        What colours tell.
    galaxies : MapGalaxies or None
        What lies on top.
    """
    if not n:
        return "There are no mocks of these magnitudes: move the magnitude in the sidebar."
    if colour == LIBRARY:
        drawn = "colours mix where libraries make the same SEDs, stronger where more mocks lie"
    else:
        drawn = "each cell shows the mean of its mocks"
    text = f"{n:,} mocks; neighbours have alike SEDs; {drawn}."
    if galaxies is None or not galaxies.placed.any():
        return text
    n, distance = galaxies.placed.sum(), galaxies.median_distances()
    alone = ", ".join(f"{distance[k]:.1%} with {LIBRARY_LABELS[k]}" for k in LIBRARY_NAMES)
    said = (
        f"{galaxies.unlike.sum():,} are unlike the training of “{galaxies.judge}” (p < {UNLIKE:g})"
        if galaxies.judge
        else "no model with error bars is there to say which are unlike its training"
    )
    return (
        f"{text} Each of the {n:,} galaxies has a place, but {said}. Median distance from the "
        f"nearest training SED: {distance['all']:.1%}; were there but one library, {alone}."
    )


def galaxies_note(galaxies: MapGalaxies) -> str:
    """How many galaxies of which catalogue there are."""
    n = int(galaxies.placed.sum())
    text = f"{n:,} galaxies of {galaxies.name}"
    if len(galaxies.table) < galaxies.n_rows:
        text += f", evenly out of its {galaxies.n_rows:,} rows"
    if n < len(galaxies.table):
        text += f"; {len(galaxies.table) - n:,} cannot be placed"
    return text + "."


def library_numbers(region: Region) -> pn.pane.HTML:
    """Table of how many mocks of each library are in a region."""
    colours = library_dots(region.counts.index)
    table = region.library_table()
    shares = dict.fromkeys(table.columns[1:], "{:.1%}")
    return parts.metric_table(table, formats=shares, colours=colours)


def region_numbers(region: Region) -> pn.pane.HTML:
    """Table of how well models read back the parameters of held-out mocks of a region."""
    table = region.score_table()
    median, predicted, bias, sigma, outliers, n = table.columns
    formats = dict.fromkeys((median, predicted, sigma), "{:.3f}")
    formats |= {bias: "{:+.3f}", outliers: "{:.1%}", n: "{:,.0f}"}
    chosen, *others = region.predicted
    heads = {name: f"{with_unit(name)}, {_title(chosen)}" for name in PARAMETERS}
    table.index = [heads[name] if model == chosen else _title(model) for name, model in table.index]
    colours = {heads[name]: colour for name, colour in PARAMETER_COLOURS.items()}
    faint = [_title(model) for model in others]
    return parts.metric_table(table, formats=formats, colours=colours, faint=faint)


def _title(model: str) -> str:
    seen = cache.model_card(model).get("sample", {}).get("split") == "random"
    return model_title(model) + (" (has seen them)" if seen else "")


def region_caption(region: Region) -> str:
    """What to notice of a region."""
    if not region.n:
        return "There are no mocks in this region."
    total = int(region.counts["all"].sum())
    where = (
        f"All {total:,} mocks in sight"
        if region.whole
        else f"{region.n:,} mocks in the region, {region.n / total:.1%} of those in sight"
    )
    shares = (region.counts["here"] / region.n).sort_values(ascending=False)
    most = f"{shares.iloc[0]:.0%} are of {library_label(shares.index[0])}"
    if not len(region.true):
        return f"{where}; {most}. None of them is of an SSP held out of the training."
    delta = region.parameters.predicted - region.true
    sigma = NMAD_TO_SIGMA * np.median(np.abs(delta - np.median(delta, axis=0)), axis=0)
    spread = region.true.std(axis=0)
    which = "the" if len(delta) < MAX_PREDICTED else "a sample of"
    names, units = list(PARAMETER_NAMES.values()), list(PARAMETER_UNITS.values())
    found = [
        f"{s:.2f} {u} in {name} (truth spreads by {t:.2f})"
        for s, t, name, u in zip(sigma, spread, names, units, strict=True)
    ]
    return (
        f"{where}; {most}. Predictions of {which} {len(delta):,} from SSPs held out of the "
        f"training scatter by {found[0]}, {found[1]} and {found[2]}."
    )


def faithful_card() -> pn.Card:
    """How faithful the map is, folded."""
    card = load_embedding().card
    found = card["faithfulness"]
    rows = {}
    for key, values in found.items():
        trust, kept = values["trustworthiness"], values["overlap_with_sed_space"]
        rows["All magnitudes" if key == "all" else "i ≤ 18"] = {
            "Trustworthiness": trust["network"],
            "of UMAP": trust["umap"],
            "Overlap with SED space": kept["network"],
            "UMAP’s own": kept["umap"],
            "Network with UMAP": values["overlap_network_umap"],
            "UMAP with itself": values["overlap_umap_umap"],
            "Median shift": values["displacement_network_umap"],
            "of UMAP’s itself": values["displacement_umap_umap"],
            "n": values["n"],
        }
    table = pd.DataFrame.from_dict(rows, orient="index").astype({"n": int})
    formats = dict.fromkeys(table.columns[:2], "{:.3f}")
    formats |= dict.fromkeys(table.columns[2:6], "{:.0%}")
    formats |= dict.fromkeys(table.columns[6:8], "{:.2f}")
    sample, size = card["sample"], found["all"]["plane_size"]
    k = found["all"]["neighbours"]
    made = (
        f"UMAP (umap-learn {card['versions']['umap-learn']}) laid out {sample['n_umap']:,} mocks; "
        f"a network of {len(card['network']['widths']) - 1} layers learnt the map from "
        f"{sample['n_network']:,}, and places SEDs at once. Shifts are in units of the map, which "
        f"is {size[0]:.0f} by {size[1]:.0f} wide."
    )
    return pn.Card(
        parts.stack(
            parts.metric_table(table, formats=formats),
            parts.note(_FAITHFUL_NOTE.format(k=k)),
            parts.note(made),
            gap=8,
        ),
        header=parts.label("How faithful the map is"),
        collapsed=True,
        sizing_mode="stretch_width",
        margin=0,
    )
