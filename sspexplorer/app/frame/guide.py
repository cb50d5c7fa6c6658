"""What the frame tells visitors: what each page shows, three doors, a tour, and the shortcuts."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

PAPER = "Domínguez Sánchez et al. 2026, A&A 705, A219"
SENTENCE = (
    "SSP Explorer shows what the 57 colours of J-PAS say of the stars of a galaxy: their age, "
    "their metals and the dust before them, each with an error that you can check."
)


class Guide(NamedTuple):
    """What a page shows.

    Attributes
    ----------
    text : str
        Two or three sentences: what is drawn, and what to try.
    figure : str
        Where the paper has it; empty where it goes beyond the paper.
    terms : tuple of str
        Entries of the glossary that it needs.
    """

    text: str
    figure: str
    terms: tuple[str, ...]


class Door(NamedTuple):
    """A way into the app: a page by its key, or a part of the help."""

    title: str
    text: str
    page: str = ""
    part: str = ""


class Step(NamedTuple):
    """A stop of the tour: what it points at (a CSS selector), and what is said there."""

    target: str
    title: str
    text: str


class Chapter(NamedTuple):
    """A notebook of the workshop, and the page of the app to look at with it."""

    title: str
    page: str
    text: str


GUIDES: Mapping[str, Guide] = MappingProxyType(
    {
        "sed": Guide(
            "Lines are spectra of stellar populations, points their light in the 57 bands with the "
            "noise of a galaxy of that magnitude. Move the age: young populations change fast, the "
            "last ten billion years leave little trace. Below is what the model reads back.",
            "Fig. 2",
            ("SSP", "SED", "Band", "E(B−V)", "Metallicity ([M/H])"),
        ),
        "libraries": Guide(
            "Each point is an SSP that a library has: its age and metallicity. Libraries cover "
            "different ranges with different stars; what they do not cover, no network learns.",
            "Fig. 1, Table 1",
            ("Library", "SSP", "Isochrone", "IMF"),
        ),
        "noise": Guide(
            "Errors in magnitudes against band and against brightness. The sky is bright in the "
            "red, so that narrow bands fade there first. You can measure the noise of your own "
            "catalogue, and all pages use it.",
            "Fig. 3",
            ("Signal-to-noise ratio (S/N)", "Band", "AB magnitude"),
        ),
        "map": Guide(
            "All mocks laid out so that alike SEDs are neighbours; distances between groups mean "
            "little. Draw around a region to see what is in it, and put galaxies on top to see "
            "whether any mock is like them.",
            "Figs. 10, E.1",
            ("UMAP", "SED", "Mock", "p-value"),
        ),
        "histories": Guide(
            "A galaxy is a mixture of populations. Dashed is the truth of a history of star "
            "formation at each time, solid what the model says of its colours.",
            "Fig. C.1",
            ("Composite population", "Star-formation history", "Light-weighted age"),
        ),
        "trust": Guide(
            "A model with error bars makes a promise: of its 68 % intervals 68 % hold the truth. "
            "Here it is tested on mocks that it has not seen, with bands missing, redshifts "
            "unknown, and galaxies of other kinds.",
            "",
            ("Coverage", "Rank", "TARP", "p-value", "AUC", "Library error"),
        ),
        "density": Guide(
            "Every mock that the network has not seen, as predicted against what it is. On the "
            "diagonal the prediction is right; where a column is tall, the colours do not decide.",
            "Figs. 5, 6",
            ("Mock", "Held out", "Bias (μ)", "Scatter (σ_NMAD)", "Outlier fraction (f_o)"),
        ),
        "magnitude": Guide(
            "How bias, scatter and outliers grow as galaxies get fainter, for the networks and "
            "for the fit of the same mocks. The fit knows the noise: nearly the least scatter.",
            "Fig. 7",
            ("Scatter (σ_NMAD)", "Bias (μ)", "Pearson coefficient", "SED fit"),
        ),
        "degeneracies": Guide(
            "Error against error. A slanted cloud says that two parameters are taken for each "
            "other: too old comes with too poor in metals, or with too little dust.",
            "Fig. 8",
            ("Degeneracy", "Pearson coefficient", "Mock"),
        ),
        "residuals": Guide(
            "Errors against the truth, a column for each library. Where a median leaves zero, the "
            "network is wrong in the same way for all SSPs of that kind.",
            "Fig. 9",
            ("Library", "Bias (μ)", "Scatter (σ_NMAD)", "Held out"),
        ),
        "one-library": Guide(
            "Networks trained on one library, tested on each. Off the diagonal of the table they "
            "meet stars that they do not know, as they do in every real galaxy.",
            "Sect. 4.3",
            ("Library", "Library error", "Scatter (σ_NMAD)"),
        ),
        "sedfit": Guide(
            "The Bayesian fit of the same mocks: every model of a grid, weighed by its χ². Take "
            "the galaxy's own SSP or library out of the grid, and see what is left of it.",
            "Fig. D.1, Table 2",
            ("SED fit", "Exact posterior", "SSP", "Prior"),
        ),
        "catalogue": Guide(
            "A file goes in, what was understood is shown, answers with error bars come out. Look "
            "at the flag before the error, and at the error before the number. What is selected "
            "in the picture, by box or lasso, is selected in all views.",
            "Fig. 11",
            ("Flag", "Posterior", "Set aside", "p-value", "Zero point"),
        ),
        "zero-points": Guide(
            "What all galaxies of your catalogue are off by in each band. No galaxy shifts one "
            "band by itself: that is the calibration, and can be corrected.",
            "",
            ("Zero point", "Band", "SED"),
        ),
        "archive": Guide(
            "A query to the J-PAS archive, written for you to read and change. What comes back "
            "opens as your catalogue.",
            "",
            ("Band", "AB magnitude", "F_ν and F_λ"),
        ),
        "training": Guide(
            "Choose a network, watch its losses fall, compare it with those that ship. When the "
            "loss of validation rises while the other falls, it learns by heart.",
            "Figs. A.1, B.1",
            ("Epoch", "Recipe", "Held out", "Mock"),
        ),
        "samples": Guide(
            "What training, validation and test are made of. Split at random, the same SSP is in "
            "all three under other noise, which is an easier test.",
            "Fig. 4",
            ("Mock", "Held out", "SSP"),
        ),
    }
)

DOORS = (
    Door("Play with a spectrum", "Make it older, dustier, fainter.", page="sed"),
    Door("Predict a catalogue", "Yours, or an example.", page="catalogue"),
    Door("Learn", "The workshop: seven chapters, a page for each.", part="workshop"),
)

WORKSHOP = (
    Chapter("SEDs and noise", "sed", "What age, metals and dust do to colours."),
    Chapter("Training and metrics", "training", "Train a network, and measure it."),
    Chapter("Degeneracies", "degeneracies", "Which errors come together, and why."),
    Chapter("Libraries and the map", "map", "What one library does not know."),
    Chapter("Composite populations", "histories", "What becomes of mixtures."),
    Chapter("SED fitting", "sedfit", "The rival, and which comparison is fair."),
    Chapter("Your catalogue", "catalogue", "Real galaxies, and what to believe."),
)

TOUR = (
    Step("nav.groups", "Four sections", "Explore, Trust, Apply, Train: each has its pages below."),
    Step(
        "main .root",
        "The picture is the page",
        "Move a control beside it and it follows. Drag to zoom; a double click takes it back. "
        "Words with a “?” open the glossary, and “Model” says who answers.",
    ),
    Step(
        ".side",
        "What pages share",
        "Libraries and magnitude, where they act on the page in sight. The address carries them: a "
        "link shares the view.",
    ),
    Step(
        'nav.groups a[data-group="trust"]',
        "Do not believe it yet",
        "How far off answers are, and where they fail. “Error bars” tests what is promised.",
    ),
    Step(
        'nav.groups a[data-group="apply"]',
        "Your own galaxies",
        "Drop a file on “Your catalogue”. Help is behind the “?” at the top right.",
    ),
)

SHORTCUTS: Mapping[str, str] = MappingProxyType(
    {
        "?": "This help",
        "i": "What am I looking at",
        "w": "Words: the glossary",
        "[": "Page before",
        "]": "Next page",
        "1": "Explore",
        "2": "Trust",
        "3": "Apply",
        "4": "Train",
        "↑ ↓ Enter": "In the table of a catalogue: walk the rows, choose one",
        "s": "Hide or show the sidebar",
        "d": "Dark or light",
        "Esc": "Close this, or leave the tour",
    }
)
