from .chart import draw as draw
from .chart import tabulate as tabulate
from .experiment import measure as measure
from .summary import summarize as summarize
