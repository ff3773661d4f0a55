"""From records of working time to the part of a credit that they are worth."""

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction

from ila.schemes.facts import WorkRecord
from ila.schemes.policy import Prorata, ProrataMode

ONE = Fraction(1)
ZERO = Fraction(0)


def working_time_ratio(records: Sequence[WorkRecord], prorata: Prorata) -> Fraction:
    """Return worked over reference, jobs summed, at most 1. A record without any reference is left out.

    >>> from ila.schemes.policy import WorkBasis
    >>> half_time = WorkRecord(WorkBasis.HOURS, Decimal("803.5"), Decimal("1607"))
    >>> working_time_ratio([half_time], Prorata(ProrataMode.LINEAR, None, {}))
    Fraction(1, 2)
    """
    ratios = (Fraction(worked) / Fraction(reference) for worked, reference in usable_records(records, prorata))
    return min(sum(ratios, ZERO), ONE)


def prorata_ratio(prorata: Prorata, ratio: Fraction) -> Fraction:
    """Return what a ratio of working time counts for: none -> 1, a threshold lifts or stretches it.

    THRESHOLD_THEN_FULL: 1 from the threshold on, below it as it is. LINEAR_CAPPED: ratio / threshold, at most 1.
    """
    match prorata.mode:
        case ProrataMode.NONE:
            return ONE
        case ProrataMode.LINEAR:
            return ratio
        case ProrataMode.THRESHOLD_THEN_FULL:
            return ONE if ratio >= _threshold(prorata) else ratio
        case ProrataMode.LINEAR_CAPPED:
            return min(ratio / _threshold(prorata), ONE)


def _threshold(prorata: Prorata) -> Fraction:
    assert prorata.threshold is not None, f"{prorata.mode} needs a threshold"
    return Fraction(prorata.threshold)


def usable_records(records: Sequence[WorkRecord], prorata: Prorata) -> list[tuple[Decimal, Decimal]]:
    """Return worked and reference of each record that has a reference, its own first."""
    found = ((record.worked, record.reference or prorata.references.get(record.basis)) for record in records)
    return [(worked, reference) for worked, reference in found if reference]
