"""What the words mean that pages, columns and the documentation use: one entry for each."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple


class Entry(NamedTuple):
    """What a term means.

    Attributes
    ----------
    text : str
        One or two sentences, without markup.
    reference : str
        Where to read more; empty where there is nothing to add.
    """

    text: str
    reference: str = ""


_PAPER = "Domínguez Sánchez et al. 2026, A&A 705, A219"

GLOSSARY: Mapping[str, Entry] = MappingProxyType(
    {
        "AB magnitude": Entry(
            "m = −2.5 log10 F_ν − 48.60 with F_ν in erg/s/cm²/Hz: a source of constant F_ν has the "
            "same AB magnitude in every band.",
            "Oke & Gunn 1983, ApJ 266, 713",
        ),
        "Attenuation": Entry(
            "What dust does to the light of a whole galaxy, stars and dust being mixed. Extinction "
            "is what a screen of dust does to a single source behind it.",
            "Calzetti et al. 2000, ApJ 533, 682; Charlot & Fall 2000, ApJ 539, 718",
        ),
        "AUC": Entry(
            "Area under the ROC curve: the probability that a galaxy of the wrong kind gets a "
            "lower p-value than one of the right kind. 1 is perfect, 0.5 is a coin.",
            "Hanley & McNeil 1982, Radiology 143, 29",
        ),
        "Band": Entry(
            "One filter of the survey, seen through telescope and detector. J-PAS has 56 of them "
            "and iSDSS, in which galaxies are detected; 54 are narrow, 100 Å apart.",
            "Bonoli et al. 2021, A&A 653, A31",
        ),
        "Bias (μ)": Entry(
            "Median of predicted minus true.",
            f"{_PAPER}, Sect. 4.1",
        ),
        "Composite population": Entry(
            "Stars of several ages or metallicities: a mixture of single stellar populations, as "
            "every galaxy is.",
            f"{_PAPER}, Appendix C",
        ),
        "Coverage": Entry(
            "How many of the truths lie inside intervals that claim to hold a given share. Of "
            "honest 68 % intervals 68 % hold the truth.",
        ),
        "Degeneracy": Entry(
            "Different populations with nearly the same colours: age, metallicity and dust all "
            "redden. The errors of the three are then correlated.",
            f"{_PAPER}, Sect. 4.2",
        ),
        "E(B−V)": Entry(
            "Colour excess in magnitudes: by how much more dust dims blue light (4405 Å) than "
            "visual light (5495 Å). With the law of the Milky Way A_V = 3.1 E(B−V).",
            "Cardelli, Clayton & Mathis 1989, ApJ 345, 245",
        ),
        "Epoch": Entry(
            "One pass of a training through all its mocks.",
        ),
        "Exact posterior": Entry(
            "The posterior computed with Bayes' rule from every model of a grid, under noise that "
            "is known. Nothing can do better on such mocks; it takes a thousand times as long as a "
            "network.",
        ),
        "F_ν and F_λ": Entry(
            "Flux per unit of frequency and per unit of wavelength; F_ν = F_λ λ²/c. Models here "
            "take F_ν.",
        ),
        "Flag": Entry(
            "A code that says why an answer is doubted, one of a fixed list. A row without a flag "
            "has an empty cell.",
        ),
        "Held out": Entry(
            "Kept away from the training, and used to test it. Here whole SSPs are held out, under "
            "whatever noise or dust, unless a split at random is asked for.",
        ),
        "IMF": Entry(
            "Initial mass function: how many stars of each mass are born together.",
            "Salpeter 1955, ApJ 121, 161; Kroupa 2001, MNRAS 322, 231; Chabrier 2003, ApJ 586, "
            "L133",
        ),
        "Ionisation parameter (log U)": Entry(
            "Ionising photons for each hydrogen atom of the gas around young stars, in logarithm: "
            "it decides between lines of high and of low ionisation.",
            "Osterbrock & Ferland 2006, Astrophysics of Gaseous Nebulae and Active Galactic Nuclei",
        ),
        "Isochrone": Entry(
            "Where stars of all masses are, in temperature and luminosity, at one age.",
            "Girardi et al. 2000, A&AS 141, 371",
        ),
        "Library": Entry(
            "The SSPs that one group has published, made of its own choice of stars, isochrones "
            "and IMF. Libraries differ by more than the noise of bright galaxies.",
            f"{_PAPER}, Sect. 2.1",
        ),
        "Library error": Entry(
            "What an error bar lacks for stars of a library that the model was not trained on. It "
            "does not shrink with more light, and is given beside the error of the data.",
        ),
        "Light-weighted age": Entry(
            "Mean of log t over the stars of a galaxy, each weighed by its light at 5500 to 6500 "
            "Å. Young stars are bright, so that it is younger than the mean by mass.",
            "Cid Fernandes et al. 2005, MNRAS 358, 363",
        ),
        "Mass-weighted age": Entry(
            "Mean of log t over the stars of a galaxy, each weighed by the mass that it was born "
            "with.",
            "Cid Fernandes et al. 2005, MNRAS 358, 363",
        ),
        "Metallicity ([M/H])": Entry(
            "Logarithm of the abundance of metals relative to the Sun's, in dex: 0 is solar, −1 a "
            "tenth of it.",
        ),
        "Mock": Entry(
            "Simulated photometry of a known population: an SSP or a mixture, behind dust, in the "
            "57 bands, with noise.",
            f"{_PAPER}, Sect. 2.2",
        ),
        "Outlier fraction (f_o)": Entry(
            "Share of the predictions that are off by more than 0.25 dex, or 0.25 mag of E(B−V).",
            f"{_PAPER}, footnote 7",
        ),
        "p-value": Entry(
            "How likely a galaxy like those of the training is to be as far from all of them as "
            "this one. Below 0.01 a galaxy is flagged as unlike the training.",
        ),
        "Pearson coefficient": Entry(
            "Correlation of predicted and true, from −1 to 1. It compares the scatter with the "
            "range of the truths: within a narrow range it is small however small the errors.",
            f"{_PAPER}, Sect. 4.1",
        ),
        "Pivot wavelength": Entry(
            "The wavelength of a band that turns its F_λ into its F_ν without error, whatever the "
            "spectrum: λ² = ∫ T λ dλ / ∫ T dλ/λ.",
            "Bessell & Murphy 2012, PASP 124, 140",
        ),
        "Posterior": Entry(
            "What is known of the parameters of a galaxy after its photometry was seen: a "
            "probability density, of which a median, an error and an interval are read off.",
            "Gelman et al. 2013, Bayesian Data Analysis",
        ),
        "Prior": Entry(
            "What is held to be likely before a galaxy is seen. A network learns it from what it "
            "is trained on; where the data say little, the answer is the prior.",
            "Gelman et al. 2013, Bayesian Data Analysis",
        ),
        "Rank": Entry(
            "Place of the truth among draws from the posterior. Over many mocks the ranks of an "
            "honest posterior are even; a heap at both ends says that errors are too small.",
            "Talts et al. 2018, arXiv:1804.06788",
        ),
        "Recipe": Entry(
            "How a network is trained: layers, loss, learning rate, epochs. “paper” is as "
            "published, “paper-fast” is as good in a tenth of its time, “default” is ours.",
            f"{_PAPER}, Sect. 3",
        ),
        "SED": Entry(
            "Spectral energy distribution: flux against wavelength, here the 57 bands of a galaxy "
            "in F_ν over their median.",
        ),
        "SED fit": Entry(
            "Comparison of a galaxy with every model of a grid, each weighed by exp(−χ²/2).",
            "Boquien et al. 2019, A&A 622, A103",
        ),
        "Set aside": Entry(
            "Bands that were measured and not used, as all others contradict them: each is more "
            "than 5 σ off, and without them the galaxy is like the training. At most 5 are, and "
            "they are named.",
        ),
        "Shrinkage": Entry(
            "1 − (σ of the posterior / σ of the prior)²: near 1 the data decide, near 0 the prior.",
            "Schad, Betancourt & Vasishth 2021, Psychological Methods 26, 103",
        ),
        "Signal-to-noise ratio (S/N)": Entry(
            "Flux over its error; 2.5/ln 10 over the magnitude error.",
            f"{_PAPER}, footnote 4",
        ),
        "SSP": Entry(
            "Single stellar population: stars born at once from gas of one metallicity, with a "
            "given IMF. All else in galaxies is mixed of them.",
            f"{_PAPER}, Sect. 2.1",
        ),
        "Star-formation history": Entry(
            "How many stars a galaxy formed at each time.",
            "Leja et al. 2019, ApJ 876, 3",
        ),
        "Scatter (σ_NMAD)": Entry(
            "1.4826 times the median of the distances of predicted − true from their median. It is "
            "the σ of a Gaussian, and takes no notice of what is far off.",
            f"{_PAPER}, Sect. 4",
        ),
        "TARP": Entry(
            "Tests of accuracy with random points: draw a point, and ask how much of the posterior "
            "is nearer to it than the truth is. Over many mocks those shares are even if and only "
            "if the joint posterior is right.",
            "Lemos et al. 2023, arXiv:2302.03026",
        ),
        "UMAP": Entry(
            "A map of points with many coordinates onto a plane that keeps neighbours together. "
            "Distances between groups mean little.",
            "McInnes, Healy & Melville 2018, arXiv:1802.03426",
        ),
        "Zero point": Entry(
            "What turns counts of a band into magnitudes. One that is off shifts all galaxies in "
            "that band alike, which no galaxy does by itself.",
            "Hernán-Caballero et al. 2023, A&A 671, A71",
        ),
    }
)
