from .chart import draw as draw
from .experiment import measure as measure
from .summary import summarize as summarize
