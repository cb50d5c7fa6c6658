"""Write the accuracy table of README.md from measured numbers.

    python scripts/update_readme.py [--check]

They are those on the cards of the shipped models of both recipes, which ``sspexplorer evaluate``
measures again. With ``--check`` nothing is written, and the exit code is 1 if the table is stale.
"""

import argparse
import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
MODELS = ROOT / "data" / "models"

BEGIN, END = "<!-- accuracy:begin -->", "<!-- accuracy:end -->"

PARAMETERS = {"log_age": "log age (dex)", "metallicity": "[M/H] (dex)", "ebv": "E(B−V) (mag)"}
MAGNITUDES = ("17.0", "19.0", "21.0")
RECIPES = {"default": "default", "paper": "paper's recipe"}
LIBRARIES = {"emiles": "E-MILES", "bc03": "BC03", "popstar": "PopStar"}

# Abstract and Sect. 4 of Domínguez Sánchez et al. (2026): split at random, other libraries.
PAPER = {
    "log_age": {"bias": 0.01, "sigma_nmad": 0.23, "outlier_fraction": 0.17},
    "metallicity": {"bias": 0.00, "sigma_nmad": 0.29, "outlier_fraction": 0.24},
    "ebv": {"bias": 0.00, "sigma_nmad": 0.04, "outlier_fraction": 0.01},
}


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


def filled(readme: str, text: str) -> str:
    """README with ``text`` between its two marks."""
    before, _, rest = readme.partition(BEGIN)
    _, mark, after = rest.partition(END)
    if not mark:
        sys.exit(f"README.md has lost its marks {BEGIN} and {END}.")
    return f"{before}{BEGIN}\n{text}\n{END}{after}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="only say whether it is up to date")
    arguments = parser.parse_args()
    recipes = {
        name: metrics_of(json.loads((MODELS / name / "card.json").read_text(encoding="utf-8")))
        for name in RECIPES
    }
    old = README.read_text(encoding="utf-8")
    new = filled(old, table(recipes))
    if arguments.check and new != old:
        sys.exit("README.md: the accuracy table is stale. Run `make readme`.")
    if not arguments.check:
        README.write_text(new, encoding="utf-8")


if __name__ == "__main__":
    main()
