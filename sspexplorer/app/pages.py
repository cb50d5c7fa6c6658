"""The pages of the app, in the order of the header. A new page is one line here."""

from sspexplorer.app.apply.archive import FromTheArchive
from sspexplorer.app.apply.catalogue import YourCatalogue
from sspexplorer.app.explore.histories import MixedPopulations
from sspexplorer.app.explore.libraries import Libraries
from sspexplorer.app.explore.noise import Noise
from sspexplorer.app.explore.sed import SEDExplorer
from sspexplorer.app.explore.sed_map import SEDMap
from sspexplorer.app.frame.shell import Page
from sspexplorer.app.train.samples import MockSamplePage
from sspexplorer.app.train.training import TrainANetwork
from sspexplorer.app.trust.degeneracies import Degeneracies
from sspexplorer.app.trust.density import PredictedVsTrue
from sspexplorer.app.trust.error_bars import ErrorBars
from sspexplorer.app.trust.magnitude import AgainstMagnitude
from sspexplorer.app.trust.one_library import OneLibraryOrAll
from sspexplorer.app.trust.residuals import ResidualsByLibrary
from sspexplorer.app.trust.sedfit import SEDFitting

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
    Page("archive", "From the archive", "apply", FromTheArchive),
    Page("training", "Train a network", "train", TrainANetwork),
    Page("samples", "Mock sample", "train", MockSamplePage),
)
