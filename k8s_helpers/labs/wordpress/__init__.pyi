from .experiment import measure as measure
