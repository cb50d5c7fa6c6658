"""The pages of the app, in the order of the header. A new page is one line here."""

from sspexplorer.app.catalogue import YourCatalogue
from sspexplorer.app.degeneracies import Degeneracies
from sspexplorer.app.density import PredictedVsTrue
from sspexplorer.app.embedding import SEDMap
from sspexplorer.app.histories import MixedPopulations
from sspexplorer.app.libraries import Libraries
from sspexplorer.app.magnitude import AgainstMagnitude
from sspexplorer.app.noise import Noise
from sspexplorer.app.one_library import OneLibraryOrAll
from sspexplorer.app.residuals import ResidualsByLibrary
from sspexplorer.app.samples import MockSamplePage
from sspexplorer.app.sed import SEDExplorer
from sspexplorer.app.sedfit import SEDFitting
from sspexplorer.app.shell import Page
from sspexplorer.app.training import TrainANetwork
from sspexplorer.app.trust import ErrorBars

PAGES = (
    Page("sed", "SED explorer", "explore", SEDExplorer),
    Page("libraries", "Libraries", "explore", Libraries),
    Page("noise", "Noise", "explore", Noise),
    Page("map", "Map of SEDs", "explore", SEDMap),
    Page("histories", "Mixed populations", "explore", MixedPopulations),
    Page("trust", "Error bars", "trust", ErrorBars),
    Page("density", "Predicted vs true", "trust", PredictedVsTrue),
    Page("magnitude", "Against magnitude", "trust", AgainstMagnitude),
    Page("degeneracies", "Degeneracies", "trust", Degeneracies),
    Page("residuals", "By library", "trust", ResidualsByLibrary),
    Page("one-library", "One library or all", "trust", OneLibraryOrAll),
    Page("sedfit", "SED fitting", "trust", SEDFitting),
    Page("catalogue", "Your catalogue", "apply", YourCatalogue),
    Page("training", "Train a network", "train", TrainANetwork),
    Page("samples", "Mock sample", "train", MockSamplePage),
)
