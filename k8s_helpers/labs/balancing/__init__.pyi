from .chart import draw as draw
from .chart import tabulate as tabulate
from .experiment import measure as measure
from .summary import left_endpoints_s as left_endpoints_s
from .summary import same_addresses as same_addresses
from .summary import shares as shares
