from .codes import calls as calls
from .experiment import measure as measure
