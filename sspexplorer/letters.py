"""Letters of the field put in plain ones, where those are missing."""

import unicodedata

# Letters of the field that not every console and no FITS header has.
_IN_PLAIN_LETTERS = {
    "−": "-", "–": "-", "—": "-", "×": "x", "·": "*", "…": "...", "√": "sqrt", "±": "+-",
    "≤": "<=", "≥": ">=", "≈": "~", "→": "->", "°": " deg", "″": '"', "′": "'", "☉": "sun",
    "μ": "u", "µ": "u", "σ": "sigma", "ν": "nu", "λ": "lambda", "χ": "chi", "Δ": "Delta",
    "α": "alpha", "β": "beta", "γ": "gamma", "τ": "tau", "⟨": "<", "⟩": ">", "“": '"', "”": '"',
    "‘": "'", "’": "'", "ß": "ss", "æ": "ae", "ø": "o",
}  # fmt: skip


def in_plain_letters(text: str) -> str:
    """Text in ASCII: each letter that is not by one or more that are, "?" where none will do.

    >>> in_plain_letters("σ ≤ 5 Å")
    'sigma <= 5 A'
    """
    if text.isascii():
        return text
    text = "".join(_IN_PLAIN_LETTERS.get(letter, letter) for letter in text)
    # Accents go, and raised numbers come down.
    letters = (c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return "".join(c if c.isascii() else "?" for c in letters)
