"""Passes over entries and lines: complete, allowed by the chart, in one unit, in their period, reversed once."""

# ruff: noqa: S608  the statements are made of our own names and numbers, nothing comes from outside

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from ila.ledger.chart import ALLOWED_LINES, AccountKind, EntryKind
from ila.ledger.checks.passes import Check, Pass
from ila.ledger.queries.periods import totals_digest

_K = AccountKind
_WITH_LINES_OF_THEIR_OWN = EntryKind.APPROPRIATION
FUND_KINDS = f"{_K.FUND:d}, {_K.EXPIRED:d}, {_K.WRITTEN_OFF:d}"
"""Kinds whose id is a fund."""

_ALLOWED = ",".join(
    str(kind * 10_000 + debit * 100 + credit)
    for kind, pairs in sorted(ALLOWED_LINES.items())
    for debit, credit in sorted(pairs)
)

ENTRIES = Pass(
    "entries",
    "Every line belongs to an entry, and every entry has its lines.",
    (
        Check(
            "a line has no entry",
            """
            SELECT line.citizen_id, line.journal_entry_id, line.line
              FROM ila.transfer AS line
             WHERE line.citizen_id BETWEEN :first AND :last
               AND line.journal_entry_id NOT IN (SELECT journal_entry_id FROM ila.journal_entry WHERE citizen_id = 0)
               AND NOT EXISTS (SELECT FROM ila.journal_entry AS entry
                                WHERE entry.citizen_id = line.citizen_id
                                  AND entry.journal_entry_id = line.journal_entry_id)
            """,
            by_citizen=True,
        ),
        Check(
            "an entry has no lines",
            f"""
            SELECT entry.citizen_id, entry.journal_entry_id, entry.kind FROM ila.journal_entry AS entry
             WHERE (entry.citizen_id <> 0 OR entry.kind = {_WITH_LINES_OF_THEIR_OWN:d})
               AND NOT EXISTS (SELECT FROM ila.transfer AS line
                                WHERE line.citizen_id = entry.citizen_id
                                  AND line.journal_entry_id = entry.journal_entry_id)
            """,
        ),
        Check(
            "the lines of an entry are not numbered from 1 without a gap",
            """
            SELECT later.citizen_id, later.journal_entry_id, later.line FROM ila.transfer AS later
             WHERE later.line < 1
                OR (later.line > 1
                    AND NOT EXISTS (SELECT FROM ila.transfer AS earlier
                                     WHERE earlier.citizen_id = later.citizen_id
                                       AND earlier.journal_entry_id = later.journal_entry_id
                                       AND earlier.line = later.line - 1))
            """,
        ),
    ),
)

LINES = Pass(
    "lines",
    "Every line has a positive amount, two accounts that its kind of entry may have, and the day of its entry.",
    (
        Check(
            "a line of a slice has accounts or a day that its entry may not have",
            f"""
            SELECT line.citizen_id, line.journal_entry_id, line.line, entry.kind, line.debit_kind, line.credit_kind,
                   line.effective_on
              FROM ila.transfer AS line
              JOIN ila.journal_entry AS entry ON entry.citizen_id = 0 AND entry.journal_entry_id = line.journal_entry_id
             WHERE entry.kind * 10000 + line.debit_kind * 100 + line.credit_kind <> ALL (ARRAY[{_ALLOWED}])
                OR line.effective_on <> entry.effective_on
            """,
        ),
        Check(
            "a line has accounts or a day that its entry may not have",
            f"""
            SELECT line.citizen_id, line.journal_entry_id, line.line, entry.kind, line.debit_kind, line.credit_kind,
                   line.effective_on
              FROM ila.journal_entry AS entry
              JOIN ila.transfer AS line
                ON line.citizen_id = entry.citizen_id AND line.journal_entry_id = entry.journal_entry_id
             WHERE entry.citizen_id <> 0
               AND (entry.kind * 10000 + line.debit_kind * 100 + line.credit_kind <> ALL (ARRAY[{_ALLOWED}])
                    OR line.effective_on <> entry.effective_on)
            """,
        ),
        Check(
            "a line has no positive amount or the same account twice",
            """
            SELECT citizen_id, journal_entry_id, line, amount_minor, debit_kind, debit_id, credit_kind, credit_id
              FROM ila.transfer
             WHERE amount_minor <= 0 OR (debit_kind, debit_id) = (credit_kind, credit_id)
            """,
        ),
    ),
)

UNITS = Pass(
    "units",
    "Both accounts of a line are of the line's scheme, so hours and money never meet.",
    (
        Check(
            "lines of one scheme touch a fund of another",
            f"""
            SELECT side.scheme_id, side.fund_id, fund.scheme_id AS scheme_of_fund, side.lines
              FROM (SELECT pair.scheme_id, account.id AS fund_id, sum(pair.lines)::bigint AS lines
                      FROM (SELECT scheme_id, debit_kind,
                                   CASE WHEN debit_kind IN ({FUND_KINDS}) THEN debit_id END AS debit_fund, credit_kind,
                                   CASE WHEN credit_kind IN ({FUND_KINDS}) THEN credit_id END AS credit_fund,
                                   count(*) AS lines
                              FROM ila.transfer
                             WHERE debit_kind IN ({FUND_KINDS}) OR credit_kind IN ({FUND_KINDS})
                             GROUP BY 1, 2, 3, 4, 5) AS pair,
                           LATERAL (VALUES (debit_fund), (credit_fund)) AS account (id)
                     WHERE account.id IS NOT NULL
                     GROUP BY 1, 2) AS side
              JOIN ila.fund AS fund ON fund.fund_id = side.fund_id
             WHERE fund.scheme_id <> side.scheme_id
            """,
        ),
        Check(
            "lines of one scheme touch entitlements of a run of another",
            f"""
            SELECT side.scheme_id, side.run_id, run.scheme_id AS scheme_of_run, side.lines
              FROM (SELECT scheme_id,
                           CASE {_K.ENTITLEMENT:d} WHEN credit_kind THEN credit_id ELSE debit_id END AS run_id,
                           count(*) AS lines
                      FROM ila.transfer
                     WHERE credit_kind = {_K.ENTITLEMENT:d} OR debit_kind = {_K.ENTITLEMENT:d}
                     GROUP BY 1, 2) AS side
              JOIN ila.allocation_run AS run ON run.allocation_run_id = side.run_id
             WHERE run.scheme_id <> side.scheme_id
            """,
        ),
        Check(
            "entitlements are of another scheme than their run or fund",
            """
            SELECT held.allocation_run_id, held.scheme_id, run.scheme_id AS scheme_of_run,
                   fund.scheme_id AS scheme_of_fund
              FROM (SELECT DISTINCT allocation_run_id, scheme_id, fund_id FROM ila.entitlement) AS held
              JOIN ila.allocation_run AS run ON run.allocation_run_id = held.allocation_run_id
              JOIN ila.fund AS fund ON fund.fund_id = held.fund_id
             WHERE held.scheme_id <> run.scheme_id OR held.scheme_id <> fund.scheme_id
            """,
        ),
    ),
)

REVERSALS = Pass(
    "reversals",
    "An entry is reversed at most once, by an equal and opposite one that names it.",
    (
        Check(
            "an entry is reversed more than once",
            """
            SELECT citizen_id, reverses, count(*) AS times FROM ila.journal_entry
             WHERE reverses IS NOT NULL GROUP BY 1, 2 HAVING count(*) > 1
            """,
        ),
        Check(
            "a reversal names no entry of its citizen, or one that is a reversal itself",
            f"""
            SELECT reversal.citizen_id, reversal.journal_entry_id, reversal.reverses
              FROM ila.journal_entry AS reversal
              LEFT JOIN ila.journal_entry AS undone
                ON undone.citizen_id = reversal.citizen_id AND undone.journal_entry_id = reversal.reverses
             WHERE (reversal.kind = {EntryKind.REVERSAL:d} OR reversal.reverses IS NOT NULL)
               AND (undone.journal_entry_id IS NULL OR undone.kind = {EntryKind.REVERSAL:d}
                    OR reversal.kind <> {EntryKind.REVERSAL:d} OR reversal.source_id <> reversal.reverses)
            """,
        ),
        Check(
            "a reversal is not equal and opposite",
            """
            WITH reversal AS (
                SELECT citizen_id, journal_entry_id, reverses FROM ila.journal_entry WHERE reverses IS NOT NULL
            ), undone AS (
                SELECT reversal.citizen_id, reversal.journal_entry_id, line.line, line.debit_kind, line.debit_id,
                       line.credit_kind, line.credit_id, line.amount_minor, line.scheme_id
                  FROM reversal JOIN ila.transfer AS line
                    ON line.citizen_id = reversal.citizen_id AND line.journal_entry_id = reversal.reverses
            ), opposite AS (
                SELECT reversal.citizen_id, reversal.journal_entry_id, line.line, line.credit_kind, line.credit_id,
                       line.debit_kind, line.debit_id, line.amount_minor, line.scheme_id
                  FROM reversal JOIN ila.transfer AS line
                    ON line.citizen_id = reversal.citizen_id AND line.journal_entry_id = reversal.journal_entry_id
            )
            SELECT DISTINCT citizen_id, journal_entry_id
              FROM ((TABLE undone EXCEPT ALL TABLE opposite)
                    UNION ALL (TABLE opposite EXCEPT ALL TABLE undone)) AS left_over
            """,
        ),
    ),
)


def _changed_periods(session: Session) -> Iterable[Mapping[str, Any]]:
    closed = session.execute(
        text("SELECT period, totals_digest FROM ila.ledger_period WHERE state = 'closed' ORDER BY period")
    ).all()
    for period, stored in closed:
        found = totals_digest(session, period)
        if found != stored:
            yield {
                "period": period,
                "totals_at_closing": "none" if stored is None else bytes(stored).hex()[:16],
                "totals_now": found.hex()[:16],
            }


PERIODS = Pass(
    "periods",
    "The totals of a closed period are those it was closed with, so nothing was booked in it later.",
    (
        Check("the totals of a closed period have changed", search=_changed_periods),
        Check(
            "an entry's number or period is of no booking year",
            """
            SELECT citizen_id, journal_entry_id, period FROM ila.journal_entry
             WHERE journal_entry_id / 1000000000000 NOT BETWEEN 1990 AND 2199 OR period NOT BETWEEN 1990 AND 2199
            """,
        ),
    ),
)
