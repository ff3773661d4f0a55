"""Ask for the lines of an export: of one citizen, of one fund, of one booking year. Streamed, in the order of days.

No line names a citizen: entitlements are told apart by their run. Where a year has too many lines for text, they are
summed by day or by month over everything that has the same accounts.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from ila.ledger.chart import AccountKind, EntryKind
from ila.ledger.document import Line, Opening
from ila.ledger.queries.totals import SUMMED
from ila.ledger.rules import Account

# ruff: noqa: S608  the statements are made of our own names and numbers, nothing comes from outside

LARGEST_EXPORT = 20_000
"""Lines of a text export that are listed one by one; more are summed. Text tools take tens of seconds beyond that."""

FETCHED_TOGETHER = 5_000


class Detail(StrEnum):
    """How lines are put together."""

    LINE = "line"
    DAY = "day"
    MONTH = "month"


@dataclass(frozen=True, slots=True)
class Part:
    """Which part of the journal: a citizen's, a fund's, or what was booked in a year. One of them is set."""

    citizen_id: int | None = None
    fund_id: int | None = None
    period: int | None = None

    @property
    def begins_on(self) -> date | None:
        """Return the first day of a year; citizens and funds begin at the beginning."""
        return None if self.period is None else date(self.period, 1, 1)

    @property
    def ends_on(self) -> date | None:
        """Return the last day of a year."""
        return None if self.period is None else date(self.period, 12, 31)


_FUND_KINDS = f"{AccountKind.FUND:d}, {AccountKind.EXPIRED:d}, {AccountKind.WRITTEN_OFF:d}"
_SUMMED = ", ".join(f"{kind:d}" for kind in SUMMED if kind is not AccountKind.ENTITLEMENT)

_OF_CITIZEN = """
    SELECT line.*, entry.kind, entry.source_id, entry.period
      FROM ila.transfer AS line
      JOIN ila.journal_entry AS entry
        ON entry.citizen_id IN (0, :citizen_id) AND entry.journal_entry_id = line.journal_entry_id
     WHERE line.citizen_id = :citizen_id
"""
_OF_FUND = f"""
    SELECT line.*, entry.kind, entry.source_id, entry.period
      FROM ila.transfer AS line
      JOIN ila.journal_entry AS entry
        ON entry.journal_entry_id = line.journal_entry_id
       AND (entry.citizen_id = 0 OR entry.citizen_id = line.citizen_id)
     WHERE (line.debit_kind IN ({_FUND_KINDS}) AND line.debit_id = :fund_id)
        OR (line.credit_kind IN ({_FUND_KINDS}) AND line.credit_id = :fund_id)
"""
_OF_PERIOD = """
    SELECT line.*, entry.kind, entry.source_id, entry.period
      FROM ila.transfer AS line
      JOIN ila.journal_entry AS entry
        ON entry.journal_entry_id = line.journal_entry_id
       AND (entry.citizen_id = 0 OR entry.citizen_id = line.citizen_id)
     WHERE entry.period = :period
"""
_DAY_OF_PERIOD = "greatest(least(effective_on, make_date(:period, 12, 31)), make_date(:period, 1, 1))"


def export_detail(session: Session, part: Part, *, limit: int = LARGEST_EXPORT) -> Detail:
    """Choose how lines are put together so that an export has about `limit` of them. Citizens' are never summed."""
    if part.citizen_id is not None:
        return Detail.LINE
    for detail in (Detail.LINE, Detail.DAY):
        counted = f"SELECT count(*) FROM (SELECT 1 FROM ({_query(part, detail)}) AS exported LIMIT :limit) AS within"
        if session.scalar(text(counted), {**_parameters(part), "limit": limit + 1}) <= limit:
            return detail
    return Detail.MONTH


def export_lines(session: Session, part: Part, detail: Detail) -> Iterator[Line]:
    """Yield the lines of an export, ordered by day, then as they were booked. Rows are fetched as they are needed."""
    rows = session.execute(
        text(_query(part, detail) + _ORDER[detail]),
        _parameters(part),
        execution_options={"yield_per": FETCHED_TOGETHER},
    )
    for row in rows:
        yield Line(
            on=row.on_day,
            effective_on=row.effective_day,
            journal_entry_id=row.journal_entry_id,
            line=row.line,
            kind=EntryKind(row.kind),
            source_id=row.source_id,
            scheme_id=row.scheme_id,
            debit=Account(AccountKind(row.debit_kind), row.debit_account),
            credit=Account(AccountKind(row.credit_kind), row.credit_account),
            amount_minor=row.amount_minor,
            lines=row.lines,
        )


def export_openings(session: Session, part: Part) -> Sequence[Opening]:
    """Return the balances of all accounts before a booking year; none for citizens and funds. Zeros are left out."""
    if part.period is None:
        return []
    rows = session.execute(text(_OPENINGS), {"period": part.period}).all()
    return [Opening(row.scheme_id, Account(AccountKind(row.kind), row.account_id), row.balance_minor) for row in rows]


def _parameters(part: Part) -> dict[str, Any]:
    values = {"citizen_id": part.citizen_id, "fund_id": part.fund_id, "period": part.period}
    return {name: value for name, value in values.items() if value is not None}


def _account(side: str) -> str:
    return f"CASE WHEN {side}_kind IN ({_SUMMED}) THEN 0 ELSE {side}_id END"


def _query(part: Part, detail: Detail) -> str:
    if part.citizen_id is not None:
        booked, day = _OF_CITIZEN, "effective_on"
    elif part.fund_id is not None:
        booked, day = _OF_FUND, "effective_on"
    else:
        booked, day = _OF_PERIOD, _DAY_OF_PERIOD
    accounts = f"{_account('debit')} AS debit_account, {_account('credit')} AS credit_account"
    if detail is Detail.LINE:
        if part.citizen_id is not None:
            accounts = "debit_id AS debit_account, credit_id AS credit_account"
        return f"""
            SELECT {day} AS on_day, effective_on AS effective_day, journal_entry_id, line, kind, source_id, scheme_id,
                   debit_kind, credit_kind, {accounts}, amount_minor, 1 AS lines, citizen_id
              FROM ({booked}) AS booked
        """
    put_together = f"date_trunc('month', {day})::date" if detail is Detail.MONTH else day
    return f"""
        SELECT {put_together} AS on_day, {put_together} AS effective_day, NULL::bigint AS journal_entry_id,
               NULL::smallint AS line, kind, NULL::bigint AS source_id, scheme_id, debit_kind, credit_kind, {accounts},
               sum(amount_minor)::bigint AS amount_minor, count(*) AS lines
          FROM ({booked}) AS booked
         GROUP BY on_day, kind, scheme_id, debit_kind, credit_kind, debit_account, credit_account
    """


_ORDER = {
    Detail.LINE: " ORDER BY on_day, journal_entry_id, citizen_id, line",
    Detail.DAY: " ORDER BY on_day, kind, scheme_id, debit_kind, debit_account, credit_kind, credit_account",
    Detail.MONTH: " ORDER BY on_day, kind, scheme_id, debit_kind, debit_account, credit_kind, credit_account",
}

_OPENINGS = f"""
    WITH pair AS (
        SELECT line.scheme_id, line.debit_kind, {_account("line.debit")} AS debit_account, line.credit_kind,
               {_account("line.credit")} AS credit_account, sum(line.amount_minor) AS amount_minor
          FROM ila.transfer AS line
          JOIN ila.journal_entry AS entry
            ON entry.journal_entry_id = line.journal_entry_id
           AND (entry.citizen_id = 0 OR entry.citizen_id = line.citizen_id)
         WHERE entry.period < :period
         GROUP BY 1, 2, 3, 4, 5)
    SELECT scheme_id, kind, account_id, sum(amount_minor)::bigint AS balance_minor
      FROM (SELECT scheme_id, debit_kind AS kind, debit_account AS account_id, -amount_minor AS amount_minor FROM pair
            UNION ALL
            SELECT scheme_id, credit_kind, credit_account, amount_minor FROM pair) AS side
     GROUP BY scheme_id, kind, account_id HAVING sum(amount_minor) <> 0
     ORDER BY scheme_id, kind, account_id
"""
