from .chart import draw as draw
from .experiment import measure as measure
from .summary import ways as ways
