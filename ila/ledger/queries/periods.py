"""Ask about booking years: what they hold, and whether everything booked in them has ended."""

import hashlib
from collections.abc import Sequence

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

PERIOD_TOTALS = text(
    """
    WITH head AS MATERIALIZED (
        SELECT citizen_id, journal_entry_id FROM ila.journal_entry WHERE period = :period
    ), booked AS (
        SELECT transfer.* FROM ila.transfer JOIN head
            ON head.citizen_id = 0 AND head.journal_entry_id = transfer.journal_entry_id
        UNION ALL
        SELECT transfer.* FROM ila.transfer JOIN head
            ON head.citizen_id = transfer.citizen_id AND head.journal_entry_id = transfer.journal_entry_id
         WHERE transfer.citizen_id <> 0
    )
    SELECT scheme_id, debit_kind, CASE WHEN debit_kind = 4 THEN 0 ELSE debit_id END AS debit_id,
           credit_kind, CASE WHEN credit_kind = 4 THEN 0 ELSE credit_id END AS credit_id,
           count(*) AS lines, sum(amount_minor)::bigint AS amount_minor
      FROM booked GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5
    """
)
"""Lines and sums of a period by pair of accounts; reservations are summed over all redemptions."""


def period_totals(session: Session, period: int) -> Sequence[Row[int, int, int, int, int, int, int]]:
    """Return (scheme, debit kind and id, credit kind and id, lines, amount) of everything booked in a period."""
    return session.execute(PERIOD_TOTALS, {"period": period}).all()


def totals_digest(session: Session, period: int) -> bytes:
    """Return the SHA-256 over the totals of a period: one line of decimal numbers for each pair of accounts."""
    lines = "".join(",".join(str(value) for value in row) + "\n" for row in period_totals(session, period))
    return hashlib.sha256(f"ila-period-v1,{period}\n{lines}".encode()).digest()


def is_drained(session: Session, mark: int) -> bool:
    """Tell whether every transaction with an id below the mark has ended.

    Ask in a fresh transaction at READ COMMITTED each time: an old snapshot gives an old answer.
    """
    oldest = session.scalar(text("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint"))
    return int(oldest or 0) >= mark
