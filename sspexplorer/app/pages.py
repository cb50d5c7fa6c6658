"""The pages of the app, in the order of the header. A new page is one line here."""

from sspexplorer.app.apply.archive import FromTheArchive
from sspexplorer.app.apply.catalogue import YourCatalogue
from sspexplorer.app.apply.zero_points import ZeroPointsPage
from sspexplorer.app.explore.histories import MixedPopulations
from sspexplorer.app.explore.libraries import Libraries
from sspexplorer.app.explore.noise import Noise
from sspexplorer.app.explore.sed import SEDExplorer
from sspexplorer.app.explore.sed_map import SEDMap
from sspexplorer.app.frame.shell import Entry
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
    Entry("sed", "SED explorer", "explore", SEDExplorer),
    Entry("libraries", "Libraries", "explore", Libraries),
    Entry("noise", "Noise", "explore", Noise),
    Entry("map", "Map of SEDs", "explore", SEDMap),
    Entry("histories", "Mixed populations", "explore", MixedPopulations),
    Entry("trust", "Error bars", "trust", ErrorBars),
    Entry("density", "Predicted vs true", "trust", PredictedVsTrue),
    Entry("magnitude", "Against magnitude", "trust", AgainstMagnitude),
    Entry("degeneracies", "Degeneracies", "trust", Degeneracies),
    Entry("residuals", "By library", "trust", ResidualsByLibrary),
    Entry("one-library", "One library or all", "trust", OneLibraryOrAll),
    Entry("sedfit", "SED fitting", "trust", SEDFitting),
    Entry("catalogue", "Your catalogue", "apply", YourCatalogue),
    Entry("zero-points", "Zero points", "apply", ZeroPointsPage),
    Entry("archive", "From the archive", "apply", FromTheArchive),
    Entry("training", "Train a network", "train", TrainANetwork),
    Entry("samples", "Mock sample", "train", MockSamplePage),
)
