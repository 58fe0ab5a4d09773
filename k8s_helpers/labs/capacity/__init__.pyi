from .chart import draw as draw
from .experiment import measure as measure
from .summary import sustained_per_s as sustained_per_s
