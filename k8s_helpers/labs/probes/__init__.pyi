from .chart import draw as draw
from .chart import tabulate as tabulate
from .chart import tabulate_clients as tabulate_clients
from .experiment import measure as measure
from .forecast import foresee as foresee
from .forecast import tabulate_forecast as tabulate_forecast
from .summary import summarize as summarize
