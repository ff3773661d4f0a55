"""Policy as dated data: parameters, what they decide, and the sets that decided something.

Door to the database: `register_parameter_set`, `stored_parameter_set`, `scheme_of_code`, `funds_of` and their kin.
The files are read by `ila.schemes.loader`; what they decide for one citizen is `ila.schemes.rules`.
"""

from ila.schemes.commands import UnitChanged, register_parameter_set
from ila.schemes.queries import (
    Fund,
    NoSuchFund,
    NoSuchParameterSet,
    NoSuchScheme,
    Scheme,
    all_schemes,
    fund_of_code,
    fund_of_id,
    funds_of,
    scheme_of_code,
    scheme_of_id,
    stored_parameter_set,
)

__all__ = [
    "Fund",
    "NoSuchFund",
    "NoSuchParameterSet",
    "NoSuchScheme",
    "Scheme",
    "UnitChanged",
    "all_schemes",
    "fund_of_code",
    "fund_of_id",
    "funds_of",
    "register_parameter_set",
    "scheme_of_code",
    "scheme_of_id",
    "stored_parameter_set",
]
