"""A scheme in euro, one in hours, their funds, and a few citizens, as rows: the ledger knows only their numbers."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime

import pytest
from sqlalchemy import BigInteger, Date, Select, column, select, text, values
from sqlalchemy.orm import Session

from ila import ledger
from ila.db.session import WriteSession
from ila.ledger.chart import AccountKind, EntryKind
from ila.ledger.rules import Account, EntitlementSource, JournalEntry, Transfer

NOW = datetime(2027, 1, 4, 9, 0, tzinfo=UTC)
TODAY = date(2027, 1, 4)
DIGEST = hashlib.sha256(b"{}").digest()
ANNA, BEN, CARL = 1, 2, 3
EURO, HOURS = 1, 2
STATE, EMPLOYER, HOURS_FUND = 1, 2, 3
"""Funds: without limit, with a hard limit, and of the scheme in hours."""


def plant_world(session: Session) -> None:
    """Insert two schemes, three funds, the parameter set of every entry, and three citizens."""
    session.execute(
        text(
            "INSERT INTO ila.scheme (scheme_id, code, title, unit, minor_units, time_zone) VALUES"
            " (1, 'euro', 'Euro', 'EUR', 2, 'Europe/Brussels'), (2, 'time', 'Time', 'hours', 0, 'Europe/Paris')"
        )
    )
    session.execute(
        text(
            "INSERT INTO ila.fund (fund_id, scheme_id, code, title, kind, limited) VALUES"
            " (1, 1, 'state', 'State', 'state', false), (2, 1, 'employer', 'Employer', 'employer', true),"
            " (3, 2, 'hours', 'Hours', 'state', false)"
        )
    )
    session.execute(
        text(
            "INSERT INTO ila.parameter_set (digest, scheme_id, canonical, registered_at)"
            " VALUES (:digest, 1, '{}', :now)"
        ),
        {"digest": DIGEST, "now": NOW},
    )
    for citizen_id in (ANNA, BEN, CARL):
        session.execute(
            text(
                "INSERT INTO ila.citizen (citizen_id, reference, status, opened_on)"
                " VALUES (:citizen_id, :reference, 'open', '2026-01-01')"
            ),
            {"citizen_id": citizen_id, "reference": f"citizen-{citizen_id}"},
        )


def plant_run(
    session: Session, run_id: int, *, scheme_id: int = EURO, fund_id: int = STATE, kind: str = "request"
) -> None:
    """Insert a finished run for entitlements to belong to; the ledger itself does not ask for one."""
    session.execute(
        text(
            "INSERT INTO ila.allocation_run (allocation_run_id, scheme_id, fund_id, kind, credit_code, period, state,"
            " reference_on, effective_on, parameter_digest, opened_by, opened_at)"
            " VALUES (:run_id, :scheme_id, :fund_id, :kind, '', :period, 'finished', '2027-01-01', '2027-01-01',"
            " :digest, 1, :now)"
        ),
        {
            "run_id": run_id,
            "scheme_id": scheme_id,
            "fund_id": fund_id,
            "kind": kind,
            "period": str(run_id),
            "digest": DIGEST,
            "now": NOW,
        },
    )


def plant_yearly_run(session: Session, run_id: int, entry_id: int, *, citizens: int, amount_minor: int) -> None:
    """Insert a finished yearly run with its approved plan and one slice that is done."""
    plan = {"credited": citizens, "amount_minor": amount_minor}
    session.execute(
        text(
            "INSERT INTO ila.allocation_run (allocation_run_id, scheme_id, fund_id, kind, credit_code, period, state,"
            " reference_on, effective_on, parameter_digest, plan, plan_digest, approved_digest, opened_by, opened_at,"
            " approved_by, approved_at) VALUES (:run_id, 1, 1, 'yearly', 'yearly', '2027', 'finished', '2027-01-01',"
            " '2027-01-01', :digest, cast(:plan AS jsonb), :digest, :digest, 1, :now, 2, :now)"
        ),
        {"run_id": run_id, "digest": DIGEST, "plan": json.dumps(plan), "now": NOW},
    )
    session.execute(
        text(
            "INSERT INTO ila.allocation_slice (allocation_run_id, slice_no, first_citizen_id, last_citizen_id,"
            " journal_entry_id, state, credited, not_credited, amount_minor)"
            " VALUES (:run_id, 1, 1, 1000, :entry_id, 'done', :citizens, 0, :amount_minor)"
        ),
        {"run_id": run_id, "entry_id": entry_id, "citizens": citizens, "amount_minor": amount_minor},
    )


def lines(*rows: tuple[int, int], expires_on: date = date(2028, 12, 31), counted_minor: int = 0) -> Select[tuple]:
    """Return (citizen, amount) pairs as the lines that `credit` wants."""
    columns = (
        column("citizen_id", BigInteger),
        column("amount_minor", BigInteger),
        column("counted_minor", BigInteger),
        column("expires_on", Date),
    )
    listed = values(*columns, name="given").data([(*row, counted_minor, expires_on) for row in rows])
    return select(listed)


@dataclass
class Books:
    """Shorthand of the tests: credit, spend and read in one line each. It calls the ledger's own door only."""

    session: WriteSession
    target_run: int = 0

    def credit(
        self,
        *rows: tuple[int, int],
        expires_on: date = date(2028, 12, 31),
        fund_id: int = STATE,
        scheme_id: int = EURO,
        source: EntitlementSource = EntitlementSource.ACCRUAL,
        run_id: int | None = None,
        slice_no: int = 1,
        journal_entry_id: int | None = None,
        period: int = 2027,
    ) -> int:
        """Credit each (citizen, amount) and return the run's number."""
        ids = ledger.mint_ids(self.session, 2, year=period)
        if run_id is None:
            run_id = ids[0]
            plant_run(self.session, run_id, scheme_id=scheme_id, fund_id=fund_id)
        crediting = ledger.Crediting(
            run_id=run_id,
            slice_no=slice_no,
            journal_entry_id=journal_entry_id or ids[1],
            fund_id=fund_id,
            fund_limited=fund_id == EMPLOYER,
            scheme_id=scheme_id,
            source=source,
            effective_on=date(2027, 1, 1),
            period=period,
            parameter_digest=DIGEST,
            actor_id=1,
        )
        self.credited = ledger.credit(self.session, lines(*rows, expires_on=expires_on), crediting, now=NOW)
        return run_id

    def appropriate(self, fund_id: int, amount_minor: int, reference: str = "Act 1") -> int:
        return ledger.appropriate(
            self.session,
            actor_id=1,
            fund_id=fund_id,
            scheme_id=EURO,
            amount_minor=amount_minor,
            reference=reference,
            effective_on=date(2027, 1, 1),
            parameter_digest=DIGEST,
            now=NOW,
        )

    def available(self, citizen_id: int, run_id: int) -> int:
        return self.session.execute(
            text("SELECT available_minor FROM ila.entitlement WHERE citizen_id = :c AND allocation_run_id = :r"),
            {"c": citizen_id, "r": run_id},
        ).scalar_one()

    def count(self, table: str) -> int:
        return self.session.execute(text(f"SELECT count(*) FROM ila.{table}")).scalar_one()


def entry(
    *transfers: Transfer,
    citizen_id: int = ANNA,
    kind: EntryKind = EntryKind.CLOSING,
    source_id: int = 1,
    step: int = 0,
    scheme_id: int = EURO,
) -> JournalEntry:
    """Return an entry of the tests, with its natural key to choose."""
    return JournalEntry(citizen_id, kind, source_id, step, scheme_id, date(2027, 1, 4), DIGEST, 1, transfers)


def closing_line(run_id: int, amount_minor: int, fund_id: int = STATE) -> Transfer:
    """Return a line entitlement -> fund."""
    return Transfer(Account(AccountKind.ENTITLEMENT, run_id), Account(AccountKind.FUND, fund_id), amount_minor)


@pytest.fixture
def books(session: WriteSession) -> Books:
    plant_world(session)
    return Books(session)


Sessions = Callable[[], WriteSession]
