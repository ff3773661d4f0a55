"""Ask what stands in the journal under given entries."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from ila.ids import BOOKINGS_PER_YEAR, year_of
from ila.ledger.models import TransferRow


@dataclass(frozen=True, slots=True)
class Booked:
    """The citizens and the sum of some entries."""

    citizens: int
    amount_minor: int


def booked(session: Session, journal_entry_ids: Sequence[int]) -> Booked:
    """Sum the lines of slice entries and count their citizens: each citizen's lines begin at 1.

    Reads the partitions of the entries' years whole: for the close of a run and for repeats, not for requests.
    """
    if not journal_entry_ids:
        return Booked(0, 0)
    first, last = min(journal_entry_ids), max(journal_entry_ids)
    if year_of(first) != year_of(last):
        years = sorted({year_of(entry_id) for entry_id in journal_entry_ids})
        parts = [booked(session, [entry for entry in journal_entry_ids if year_of(entry) == year]) for year in years]
        return Booked(sum(part.citizens for part in parts), sum(part.amount_minor for part in parts))
    year_start = year_of(first) * BOOKINGS_PER_YEAR
    citizens, amount_minor = session.execute(
        select(
            func.count().filter(TransferRow.line == 1),
            func.coalesce(func.sum(TransferRow.amount_minor), 0),
        ).where(
            TransferRow.journal_entry_id >= year_start,
            TransferRow.journal_entry_id < year_start + BOOKINGS_PER_YEAR,
            TransferRow.journal_entry_id.in_(journal_entry_ids),
        )
    ).one()
    return Booked(int(citizens), int(amount_minor))
