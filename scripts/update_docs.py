"""Write the tables of docs/models.md that are measured numbers.

    python scripts/update_docs.py [--check]

Accuracy is from the cards of the shipped models of both recipes, which ``sspexplorer evaluate``
measures again; the posteriors are from the trust.json of ``ssp`` and ``galaxy``, which
``scripts/validate_posterior.py`` measures again; the paper's size from data/full_size.json, by
``benchmarks/full_size.py --train paper-fast``; and the libraries that were left out from the
libraries.json of ``galaxy``, by ``scripts/leave_one_out.py``. With ``--check`` nothing is written,
and the exit code is 1 if a table is stale.
"""

import argparse
import json
import sys
from pathlib import Path

from sspexplorer.labels import DERIVED_LABELS

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "models.md"
MODELS = ROOT / "data" / "models"

POSTERIORS = ("ssp", "galaxy")

PARAMETERS = {"log_age": "log age (dex)", "metallicity": "[M/H] (dex)", "ebv": "E(B−V) (mag)"}
MAGNITUDES = ("17.0", "19.0", "21.0")
RECIPES = {"default": "default", "paper": "paper's recipe"}
LIBRARIES = {"emiles": "E-MILES", "bc03": "BC03", "popstar": "PopStar"}
MORE_LIBRARIES = LIBRARIES | {"m11": "M11 (STELIB)", "mastar": "MaStar"}

# Abstract and Sect. 4 of Domínguez Sánchez et al. (2026): split at random, other libraries.
PAPER = {
    "log_age": {"bias": 0.01, "sigma_nmad": 0.23, "outlier_fraction": 0.17},
    "metallicity": {"bias": 0.00, "sigma_nmad": 0.29, "outlier_fraction": 0.24},
    "ebv": {"bias": 0.00, "sigma_nmad": 0.04, "outlier_fraction": 0.01},
}


# Sect. 4 of it: scatter in log age at two magnitudes.
PAPER_AGES = {"17.0": 0.13, "21.0": 0.46}


def metrics_of(card: dict) -> dict[str, dict]:
    """Metrics by split on a model card; there must be those of SSPs held out."""
    found = card.get("metrics", {})
    if "ssp" not in found:
        sys.exit(f"The card of {card.get('name')!r} has no metrics of SSPs held out.")
    return found


def row(label: str, network: str, metrics: dict, digits: int) -> str:
    cells = [
        f"{m['bias']:+z.{digits}f}, {m['sigma_nmad']:.{digits}f}, {m['outlier_fraction']:.0%}"
        for m in (metrics[name] for name in PARAMETERS)
    ]
    return f"| {label} | {network} | {' | '.join(cells).replace('-', '−')} |"


def table(recipes: dict[str, dict]) -> str:
    """Markdown: rows for each part of the test sample, one column for each parameter.

    ``recipes`` has the metrics of each recipe by split, see :func:`metrics_of`.
    """
    parts = {"**all, 16 ≤ i ≤ 22**": lambda m: m["ssp"]["overall"]}
    for magnitude in MAGNITUDES:
        label = f"i = {float(magnitude):.0f}"
        parts[label] = lambda m, key=magnitude: m["ssp"]["by_magnitude"][key]
    for name, title in LIBRARIES.items():
        parts[title] = lambda m, key=name: m["ssp"]["by_library"][key]
    if all("random" in metrics for metrics in recipes.values()):
        parts["*SSPs seen in training, other noise*"] = lambda m: m["random"]["overall"]
    rows = [
        row(label if first else "", RECIPES[name], of(metrics), digits=3)
        for label, of in parts.items()
        for first, (name, metrics) in zip((True, False), recipes.items(), strict=False)
    ]
    number = next(iter(recipes.values()))["ssp"]["overall"]["log_age"]["n"]
    count = f"{number:,}".replace(",", " ")
    return "\n".join(
        [
            f"Measured on {count} mocks of SSPs that training never saw, under any noise or dust.",
            "Each cell: bias μ, scatter σ_NMAD, and the fraction more than 0.25 off.",
            "",
            "| | recipe | " + " | ".join(PARAMETERS.values()) + " |",
            "|---|---|" + "---|" * len(PARAMETERS),
            *rows,
            row("*the paper, split at random*, fraction at i ≈ 17", "as published", PAPER, 2),
        ]
    )


def posterior_table(trusts: dict[str, dict]) -> str:
    """Markdown: one row for each promise, one column for each posterior model.

    ``trusts`` has the content of each model's trust.json by name.
    """
    rows = {}
    for name, trust in trusts.items():
        for label, value in _promises(trust).items():
            rows.setdefault(label, {})[name] = value
    numbers = {name: f"{trust['n_mocks']:,}".replace(",", " ") for name, trust in trusts.items()}
    return "\n".join(
        [
            "Measured on mocks of each model's own kind that its training never saw "
            f"({', '.join(f'{name}: {n}' for name, n in numbers.items())}; 16 ≤ i ≤ 22; redshifts "
            "of its prior, given).",
            "Three numbers are for log age, [M/H] and E(B−V).",
            "",
            "| | " + " | ".join(f"`{name}`" for name in trusts) + " |",
            "|---|" + "---|" * len(trusts),
            *(
                f"| {label} | " + " | ".join(found.get(name, "") for name in trusts) + " |"
                for label, found in rows.items()
            ),
        ]
    )


def magnitude_table(trusts: dict[str, dict]) -> str:
    """Markdown: scatter, and how many truths intervals hold, of mocks of each magnitude."""
    rows = []
    for name, trust in trusts.items():
        of = {(r["magnitude"], r["parameter"]): r for r in trust["magnitudes"]}
        for magnitude in sorted({m for m, _ in of if m is not None and m == int(m)}):
            cells = [
                f"{of[magnitude, p]['sigma_nmad']:.3f}, {of[magnitude, p]['coverage_68']:.0%}"
                for p in PARAMETERS
            ]
            rows.append(f"| `{name}` | {magnitude:g} | {' | '.join(cells)} |")
    return "\n".join(
        [
            "Each cell: scatter σ_NMAD of the median, and the truths inside the 68 % interval.",
            "",
            "| model | i | " + " | ".join(PARAMETERS.values()) + " |",
            "|---|---|" + "---|" * len(PARAMETERS),
            *rows,
        ]
    )


def full_size_table(trained: dict) -> str:
    """Markdown: a training at the paper's size, and what the paper has of the same."""
    groups = {"all": trained["overall"]}
    groups |= {f"i = {float(key):g}": group for key, group in trained["by_magnitude"].items()}
    published = {"all": ["0.23", "0.29", "0.04"]}
    published |= {f"i = {float(k):g}": [f"{v:.2f}", "", ""] for k, v in PAPER_AGES.items()}
    rows = []
    for label, group in groups.items():
        if label != "all" and not float(label.split()[-1]).is_integer():
            continue
        cells = []
        for parameter, paper in zip(PARAMETERS, published.get(label, [""] * 3), strict=True):
            m = group[parameter]
            cells.append(
                f"{m['bias']:+z.3f}, {m['sigma_nmad']:.3f}, {m['outlier_fraction']:.0%}"
                + (f" (σ_NMAD {paper})" if paper else "")
            )
        rows.append(f"| {label} | {' | '.join(cells)} |".replace("-", "−"))
    n_train, _, n_test = trained["n"]
    return "\n".join(
        [
            f"Recipe `{trained['recipe']['name']}`, {trained['epochs_done']} epochs on {n_train} "
            f"mocks, tested on {n_test} others: {trained['cpu_seconds'] / 60:.0f} minutes of CPU, "
            f"at most {trained['peak_gib']:.1f} GiB. Each cell: bias μ, scatter σ_NMAD, the "
            "fraction more than 0.25 off; in brackets what is published.",
            "",
            "| | " + " | ".join(PARAMETERS.values()) + " |",
            "|---|" + "---|" * len(PARAMETERS),
            *rows,
        ]
    )


def other_kinds_table(trust: dict) -> str:
    """Markdown: what models say of populations that they were, and were not, trained on."""
    kinds = {
        "mixed, young, with emission lines, i = 19": trust["lines"],
        "single, i = 17": [r for r in trust["singles"] if r["magnitude"] == 17],
        "single, i = 21": [r for r in trust["singles"] if r["magnitude"] == 21],
    }
    rows = []
    for kind, records in kinds.items():
        for name in dict.fromkeys(record["model"] for record in records):
            of = {r["parameter"]: r for r in records if r["model"] == name}
            cells = []
            for p in PARAMETERS:
                inside = f", {of[p]['coverage_68']:.0%}" if "coverage_68" in of[p] else ""
                cells.append(f"{of[p]['bias']:+z.2f}, {of[p]['sigma_nmad']:.2f}{inside}")
            rows.append(f"| {kind} | `{name}` | {' | '.join(cells).replace('-', '−')} |")
    return "\n".join(
        [
            "Each cell: bias μ, scatter σ_NMAD and, where it was measured, the truths inside the "
            "68 % interval; at z = 0.",
            "",
            "| populations | model | " + " | ".join(PARAMETERS.values()) + " |",
            "|---|---|" + "---|" * len(PARAMETERS),
            *rows,
        ]
    )


def distance_table(trust: dict) -> str:
    """Markdown: scatter, and how many truths intervals hold, by redshift and magnitude."""
    records = trust["distances"]
    rows = []
    for redshift in sorted({r["redshift"] for r in records}):
        for magnitude in (17.0, 19.0, 20.0, 21.0, 22.0):
            of = {
                r["parameter"]: r
                for r in records
                if (r["redshift"], r["magnitude"]) == (redshift, magnitude)
            }
            cells = [
                f"{of[p]['sigma_nmad']:.2f}, {of[p]['coverage_68']:.0%}, {of[p]['coverage_95']:.0%}"
                for p in PARAMETERS
            ]
            fifth = f"{redshift - 0.1:.1f} to {redshift + 0.1:.1f}"
            rows.append(f"| {fifth} | {magnitude:g} | {' | '.join(cells)} |")
    return "\n".join(
        [
            "Each cell: scatter σ_NMAD of the median, and the truths inside the 68 % and the 95 % "
            "interval; redshift given.",
            "",
            "| z | i | " + " | ".join(PARAMETERS.values()) + " |",
            "|---|---|" + "---|" * len(PARAMETERS),
            *rows,
        ]
    )


def photoz_table(trust: dict) -> str:
    """Markdown: redshifts from the colours alone, at each whole magnitude."""
    rows = [
        f"| {r['magnitude']:g} | {r['sigma_nmad']:.4f} | {r['outlier_share']:.1%} | "
        f"{r['coverage_68']:.0%} |"
        for r in trust["photoz"]
        if r["magnitude"] is not None and r["magnitude"] >= 17 and r["magnitude"] % 1 == 0
    ]
    return "\n".join(
        [
            "| i | σ_NMAD of Δz/(1 + z) | off by more than 0.15 (1 + z) | inside the 68 % "
            "interval |",
            "|---|---|---|---|",
            *rows,
        ]
    )


def derived_table(trust: dict) -> str:
    """Markdown: masses, rates, times and colours of all magnitudes, and of two."""
    records = trust["derived"]
    rows = []
    for name in dict.fromkeys(r["parameter"] for r in records):
        of = {r["magnitude"]: r for r in records if r["parameter"] == name}
        whole = of[None]
        rows.append(
            f"| {DERIVED_LABELS[name]} | {whole['bias']:+z.3f} | {whole['sigma_nmad']:.3f} | "
            f"{of[18.0]['sigma_nmad']:.3f} | {of[22.0]['sigma_nmad']:.3f} | "
            f"{whole['coverage_68']:.0%} | {whole['coverage_95']:.0%} |".replace("-", "−")
        )
    return "\n".join(
        [
            "| | bias μ | scatter σ_NMAD | at i = 18 | at i = 22 | inside 68 % | inside 95 % |",
            "|---|---|---|---|---|---|---|",
            *rows,
        ]
    )


def growth_table(trust: dict) -> str:
    """Markdown: shares of the stars that had formed, at some of the times."""
    records = trust["growth"]
    times = sorted({r["time"] for r in records})[::3]
    kinds = dict.fromkeys(r["kind"] for r in records)
    found = {(r["kind"], r["time"]): r for r in records}
    rows = [
        f"| {kind} | "
        + " | ".join(
            f"{found[kind, time]['coverage_68']:.0%}, {found[kind, time]['coverage_95']:.0%}"
            for time in times
        )
        + " |"
        for kind in kinds
    ]
    head = " | ".join(f"{time:.2g}" for time in times)
    return "\n".join(
        [
            "Truths inside the 68 % and the 95 % interval, at times before the light was sent in",
            "units of the age of the universe.",
            "",
            f"| histories | {head} |",
            f"|---|{'---|' * len(times)}",
            *rows,
        ]
    )


def left_out_table(content: dict) -> str:
    """Markdown: rows of each library and sample, one column for each parameter.

    ``content`` is that of a libraries.json.
    """
    records = content["table"]
    magnitudes = sorted({record["magnitude"] for record in records})
    shares = ", ".join(f"{magnitude:.0f}" for magnitude in magnitudes)
    lines = [
        f"Truths inside the 68 % interval at i = {shares}, of models trained without the library;",
        "in brackets with the error of the other libraries joined to the model's own.",
        "",
        "| without | tested on its | " + " | ".join(PARAMETERS.values()) + " |",
        "|---|---|" + "---|" * len(PARAMETERS),
    ]
    pairs = dict.fromkeys((r["library"], r["sample"]) for r in records)
    for library, sample in sorted(pairs, key=lambda pair: list(MORE_LIBRARIES).index(pair[0])):
        cells = []
        for name in PARAMETERS:
            found = [
                {r["magnitude"]: r for r in records if _is_of(r, library, sample, name)}[magnitude]
                for magnitude in magnitudes
            ]
            alone = ", ".join(f"{r['coverage_68']:.0%}" for r in found)
            joined = ", ".join(f"{r['with_library_68']:.0%}" for r in found)
            cells.append(f"{alone} ({joined})")
        lines.append(f"| {MORE_LIBRARIES[library]} | {sample} | {' | '.join(cells)} |")
    return "\n".join(lines)


def left_out_derived_table(content: dict) -> str:
    """Markdown: masses, rates, times and colours by rows, libraries by columns."""
    records = [r for r in content["table"] if r["parameter"] in DERIVED_LABELS]
    shares = ", ".join(f"{m:.0f}" for m in sorted({r["magnitude"] for r in records}))
    libraries = dict.fromkeys(r["library"] for r in content["table"])
    lines = [
        f"Truths of composites to z = 1 inside the 68 % interval at i = {shares}, of models",
        "trained without the library; – where its spectra do not tell the truth.",
        "",
        f"| without | {' | '.join(MORE_LIBRARIES[name] for name in libraries)} |",
        "|---|" + "---|" * len(libraries),
    ]
    for name in DERIVED_LABELS:
        cells = [
            ", ".join(
                f"{r['coverage_68']:.0%}"
                for r in sorted(records, key=lambda r: r["magnitude"])
                if (r["parameter"], r["library"]) == (name, library)
            )
            for library in libraries
        ]
        lines.append(f"| {DERIVED_LABELS[name]} | {' | '.join(c or '–' for c in cells)} |")
    return "\n".join(lines)


def _is_of(record: dict, library: str, sample: str, name: str) -> bool:
    return (record["library"], record["sample"], record["parameter"]) == (library, sample, name)


def _promises(trust: dict) -> dict[str, str]:
    """What a model was tested for, and how it did."""

    def three(records: list[dict], key: str, form: str) -> str:
        of = {record["parameter"]: record[key] for record in records}
        return ", ".join(format(of[name], form) for name in PARAMETERS).replace("-", "−")

    whole = [r for r in trust["magnitudes"] if r["magnitude"] is None]
    found = {
        "scatter σ_NMAD of the median (dex, dex, mag)": three(whole, "sigma_nmad", ".3f"),
        "truths inside the 68 % interval": three(whole, "coverage_68", ".1%"),
        "truths inside the 95 % interval": three(whole, "coverage_95", ".1%"),
    }
    for gap in dict.fromkeys(r["gap"] for r in trust["gaps"] if r["gap"] != "none"):
        records = [r for r in trust["gaps"] if r["gap"] == gap]
        label = f"more scatter with bands missing, {gap}"
        found[label] = three(records, "growth", "+.0%")
        found[f"68 % interval with bands missing, {gap}"] = three(records, "coverage_68", ".1%")
    given = [r for r in trust["redshifts"] if r["known"] == "given"]
    worst = [
        {"parameter": n, "ratio": max(r["ratio"] for r in given if r["parameter"] == n)}
        for n in PARAMETERS
    ]
    label = "scatter at the worst redshift ÷ at 0, redshift given"
    found[label] = three(worst, "ratio", ".2f")
    photoz = next(r for r in trust["photoz"] if r["magnitude"] is None)
    found["redshift from colours alone, σ_NMAD/(1 + z)"] = f"{photoz['sigma_nmad']:.4f}"
    if trust["exact"]:
        ratios = [r["ratio"] for r in trust["exact"]]
        label = "RMSE ÷ that of the exact posterior, z = 0, i = 20, 21, 22"
        found[label] = f"{min(ratios):.3f} to {max(ratios):.3f}"
    for record in trust["outliers"]:
        # Those of nearby galaxies can be compared with those of the model of single populations.
        far = f", to z = {record['to']:g}" if record.get("to", 0.1) > 0.1 else ""
        label = f"AUC, and share flagged, at i = 18: {record['kind']}{far}"
        found[label] = f"{record['auc']:.3f}, {record['flagged']:.0%}"
        if record["named"] is not None:
            found[label] += f" ({record['named']:.1%} named)"
    return found


def filled(page: str, name: str, text: str) -> str:
    """Page with ``text`` between the two marks of a table."""
    begin, end = f"<!-- {name}:begin -->", f"<!-- {name}:end -->"
    before, _, rest = page.partition(begin)
    _, mark, after = rest.partition(end)
    if not mark:
        sys.exit(f"{PAGE.name} has lost its marks {begin} and {end}.")
    return f"{before}{begin}\n{text}\n{end}{after}"


def _content(model: str, name: str) -> dict:
    return json.loads((MODELS / model / name).read_text(encoding="utf-8"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="only say whether it is up to date")
    arguments = parser.parse_args()
    recipes = {name: metrics_of(_content(name, "card.json")) for name in RECIPES}
    trusts = {name: _content(name, "trust.json") for name in POSTERIORS}
    old = PAGE.read_text(encoding="utf-8")
    new = filled(old, "accuracy", table(recipes))
    sizes = json.loads((MODELS.parent / "full_size.json").read_text(encoding="utf-8"))
    new = filled(new, "full-size", full_size_table(sizes["paper-fast"]))
    new = filled(new, "posteriors", posterior_table(trusts))
    new = filled(new, "magnitudes", magnitude_table(trusts))
    new = filled(new, "other-kinds", other_kinds_table(trusts["galaxy"]))
    new = filled(new, "distances", distance_table(trusts["galaxy"]))
    new = filled(new, "photoz", photoz_table(trusts["galaxy"]))
    new = filled(new, "derived", derived_table(trusts["galaxy"]))
    new = filled(new, "growth", growth_table(trusts["galaxy"]))
    new = filled(new, "libraries", left_out_table(_content("galaxy", "libraries.json")))
    new = filled(
        new, "libraries-derived", left_out_derived_table(_content("galaxy", "libraries.json"))
    )
    if arguments.check and new != old:
        sys.exit(f"{PAGE.name}: its tables are stale. Run `make tables`.")
    if not arguments.check:
        PAGE.write_text(new, encoding="utf-8")


if __name__ == "__main__":
    main()
