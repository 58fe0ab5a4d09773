from .quoted import delays as delays
from .quoted import landscape as landscape
from .quoted import levels as levels
from .quoted import pace as pace
from .quoted import releases as releases
from .quoted import support as support
from .quoted import survey as survey
