"""Write the accuracy table of README.md from measured numbers.

    python scripts/update_readme.py [--check] [FILE]

FILE is what ``sspexplorer evaluate --json`` printed, or a model card; without it, the card of the
default model. With ``--check`` nothing is written, and the exit code is 1 if the table is stale.
"""

import argparse
import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
CARD = ROOT / "data" / "models" / "default" / "card.json"

BEGIN, END = "<!-- accuracy:begin -->", "<!-- accuracy:end -->"

PARAMETERS = {"log_age": "log age (dex)", "metallicity": "[M/H] (dex)", "ebv": "E(B−V) (mag)"}
MAGNITUDES = ("17.0", "19.0", "21.0")
LIBRARIES = {"emiles": "E-MILES", "bc03": "BC03", "popstar": "PopStar"}

# Abstract and Sect. 4 of Domínguez Sánchez et al. (2026): split at random, other libraries.
PAPER = {
    "log_age": {"bias": 0.01, "sigma_nmad": 0.23, "outlier_fraction": 0.17},
    "metallicity": {"bias": 0.00, "sigma_nmad": 0.29, "outlier_fraction": 0.24},
    "ebv": {"bias": 0.00, "sigma_nmad": 0.04, "outlier_fraction": 0.01},
}


def evaluations_in(content: dict) -> dict[str, dict]:
    """Metrics by split, from a model card or from the output of ``evaluate --json``."""
    found = content.get("metrics", {content.get("split"): content})
    if "ssp" not in found:
        sys.exit("No metrics of SSPs held out: expected what `sspexplorer evaluate --json` prints.")
    return found


def row(label: str, metrics: dict, digits: int) -> str:
    cells = [
        f"{m['bias']:+z.{digits}f}, {m['sigma_nmad']:.{digits}f}, {m['outlier_fraction']:.0%}"
        for m in (metrics[name] for name in PARAMETERS)
    ]
    return f"| {label} | {' | '.join(cells).replace('-', '−')} |"


def table(evaluations: dict[str, dict]) -> str:
    """Markdown: one row for each part of the test sample, one column for each parameter."""
    held_out = evaluations["ssp"]
    parts = {"**all, 16 ≤ i ≤ 22**": held_out["overall"]}
    parts |= {f"i = {float(m):.0f}": held_out["by_magnitude"][m] for m in MAGNITUDES}
    parts |= {title: held_out["by_library"][name] for name, title in LIBRARIES.items()}
    if "random" in evaluations:
        parts["*SSPs seen in training, other noise*"] = evaluations["random"]["overall"]
    count = f"{held_out['overall']['log_age']['n']:,}".replace(",", " ")
    return "\n".join(
        [
            f"Measured on {count} mocks of SSPs that training never saw, under any noise or dust.",
            "Each cell: bias μ, scatter σ_NMAD, and the fraction more than 0.25 off.",
            "",
            "| | " + " | ".join(PARAMETERS.values()) + " |",
            "|---|" + "---|" * len(PARAMETERS),
            *(row(label, metrics, digits=3) for label, metrics in parts.items()),
            row("*the paper, split at random*, fraction at i ≈ 17", PAPER, digits=2),
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
    parser.add_argument("file", type=Path, nargs="?", default=CARD, metavar="FILE")
    parser.add_argument("--check", action="store_true", help="only say whether it is up to date")
    arguments = parser.parse_args()
    content = json.loads(arguments.file.read_text(encoding="utf-8"))
    old = README.read_text(encoding="utf-8")
    new = filled(old, table(evaluations_in(content)))
    if arguments.check and new != old:
        sys.exit("README.md: the accuracy table is stale. Run `make readme`.")
    if not arguments.check:
        README.write_text(new, encoding="utf-8")


if __name__ == "__main__":
    main()
