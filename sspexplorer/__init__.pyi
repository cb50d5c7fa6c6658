# What `sspexplorer/__init__.py` loads when first used, for type checkers and editors.

from sspexplorer.analysis.held_out import held_out_table as held_out_table
from sspexplorer.analysis.request import predict_catalogue as predict_catalogue
from sspexplorer.app.notebook import notebook as notebook
from sspexplorer.catalogue import Catalogue as Catalogue
from sspexplorer.catalogue import read_catalogue as read_catalogue
from sspexplorer.embedding import load_embedding as load_embedding
from sspexplorer.errors import Cancelled as Cancelled
from sspexplorer.errors import InputError as InputError
from sspexplorer.histories import evolve as evolve
from sspexplorer.libraries import SSPLibrary as SSPLibrary
from sspexplorer.libraries import library_names as library_names
from sspexplorer.libraries import load_library as load_library
from sspexplorer.libraries.readers import read_source as read_source
from sspexplorer.libraries.store import keep_library as keep_library
from sspexplorer.metrics import evaluate as evaluate
from sspexplorer.metrics import summary as summary
from sspexplorer.mocks import MockSample as MockSample
from sspexplorer.mocks import make_mocks as make_mocks
from sspexplorer.mocks import observe as observe
from sspexplorer.models import load_model as load_model
from sspexplorer.models import predict_rows as predict_rows
from sspexplorer.networks.recipes import Recipe as Recipe
from sspexplorer.networks.recipes import get_recipe as get_recipe
from sspexplorer.networks.training import train as train
from sspexplorer.noise import NoiseModel as NoiseModel
from sspexplorer.noise import measure_noise as measure_noise
from sspexplorer.on_demand import MocksOnDemand as MocksOnDemand
from sspexplorer.on_demand import mocks_on_demand as mocks_on_demand
from sspexplorer.posterior.taken import Choices as Choices
from sspexplorer.sedfit import fit as fit
from sspexplorer.sedfit import make_grid as make_grid
from sspexplorer.streams.frames import predict_frame as predict_frame

__version__: str
