"""The pages of the app, in the order of the header. A new page is one line here."""

from sspexplorer.app.catalogue import YourCatalogue
from sspexplorer.app.degeneracies import Degeneracies
from sspexplorer.app.density import PredictedVsTrue
from sspexplorer.app.libraries import Libraries
from sspexplorer.app.sed import SEDExplorer
from sspexplorer.app.shell import Page

PAGES = (
    Page("sed", "SED explorer", "explore", SEDExplorer),
    Page("libraries", "Libraries", "explore", Libraries),
    Page("density", "Predicted vs true", "trust", PredictedVsTrue),
    Page("degeneracies", "Degeneracies", "trust", Degeneracies),
    Page("catalogue", "Your catalogue", "apply", YourCatalogue),
)
