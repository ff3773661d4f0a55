"""Numbers and references of things: booking ids that tell their year, public references that tell nothing."""

import re
import secrets

BOOKINGS_PER_YEAR = 10**12
REFERENCE_BITS = 128
REFERENCE_LENGTH = 26

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
"""Crockford's 32 digits: no i, l, o or u, so that a reference can be read aloud and typed."""

_PAIRS = tuple(high + low for high in _ALPHABET for low in _ALPHABET)
"""Two digits at a time: a population of millions needs as many references."""

_REFERENCE = re.compile(rf"[0-7][{_ALPHABET}]{{{REFERENCE_LENGTH - 1}}}\Z")


def booking_id(year: int, number: int) -> int:
    """Return the id of a run or journal entry: the booking year, then a number within it.

    >>> booking_id(2027, 41)
    2027000000000041
    """
    if not 1 <= year <= 9999 or not 0 < number < BOOKINGS_PER_YEAR:
        raise ValueError(f"no booking id for number {number} of year {year}")
    return year * BOOKINGS_PER_YEAR + number


def year_of(identifier: int) -> int:
    """Return the booking year in an id.

    >>> year_of(2027000000000041)
    2027
    """
    return identifier // BOOKINGS_PER_YEAR


def new_reference() -> str:
    """Return a new public reference: 128 random bits in 26 letters and digits, neither guessed nor counted."""
    number = secrets.randbits(REFERENCE_BITS)
    return "".join([_PAIRS[(number >> 10 * place) & 1023] for place in reversed(range(REFERENCE_LENGTH // 2))])


def is_reference(text: str) -> bool:
    """Say whether a text has the form of a public reference.

    >>> is_reference("3v8kq0m2zr5n9c1x7d4t6w8hjb")
    True
    """
    return _REFERENCE.match(text) is not None
