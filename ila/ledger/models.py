"""The journal and the stored balances: nothing in `journal_entry` and `transfer` is ever changed.

`citizen_id` comes first in every key: a statement, a balance and a lock touch one stretch of one index, and the same
column distributes the tables. 0 marks rows that span citizens. No foreign key leads from `transfer` to a shared row:
each insert would mark that row; `checks.py` proves those references instead.
"""

from datetime import date, datetime

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Date,
    Identity,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from ila.db.base import Base
from ila.db.types import SmallEnum, TextEnum, UtcDateTime, Xid8, words_check
from ila.ledger.chart import AccountKind, EntryKind
from ila.ledger.rules import EntitlementSource, PeriodState


class JournalEntryRow(Base):
    """One business event. UNIQUE (citizen_id, kind, source_id, step) is its natural key: it happens once."""

    __tablename__ = "journal_entry"

    citizen_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, comment="0 where the entry spans citizens")
    journal_entry_id: Mapped[int] = mapped_column(
        BigInteger, primary_key=True, autoincrement=False, comment="booking year * 10^12 + number"
    )
    source_id: Mapped[int] = mapped_column(BigInteger, comment="what the event is about: run, entry, appropriation")
    actor_id: Mapped[int] = mapped_column(BigInteger, comment="user account; 0 the clock, negative a citizen")
    reverses: Mapped[int | None] = mapped_column(BigInteger, comment="journal_entry_id undone by this entry")
    recorded_at: Mapped[datetime] = mapped_column(UtcDateTime, comment="information only: order is xid and seal")
    effective_on: Mapped[date] = mapped_column(Date, comment="the day the event counts, in the scheme's zone")
    period: Mapped[int] = mapped_column(Integer, comment="booking year; never a closed one")
    kind: Mapped[EntryKind] = mapped_column(SmallEnum(EntryKind))
    step: Mapped[int] = mapped_column(Integer, comment="slice or phase within the source")
    parameter_digest: Mapped[bytes] = mapped_column(LargeBinary, comment="SHA-256 of the parameter set applied")
    detail_digest: Mapped[bytes | None] = mapped_column(LargeBinary, comment="SHA-256 of details kept elsewhere")

    __table_args__ = (
        UniqueConstraint("citizen_id", "kind", "source_id", "step"),
        CheckConstraint("citizen_id >= 0", name="citizen"),
        CheckConstraint("octet_length(parameter_digest) = 32", name="parameter_digest"),
        Index(
            "uq_journal_entry_reverses", "citizen_id", "reverses", unique=True, postgresql_where="reverses IS NOT NULL"
        ),
    )


class TransferRow(Base):
    """One line: an amount that flowed from the debit account to the credit account."""

    __tablename__ = "transfer"

    citizen_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, comment="whose line; 0 for funds alone")
    journal_entry_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    xid: Mapped[int] = mapped_column(
        Xid8, server_default=text("pg_current_xact_id()"), comment="recording transaction: the horizon of seals"
    )
    debit_id: Mapped[int] = mapped_column(BigInteger)
    credit_id: Mapped[int] = mapped_column(BigInteger)
    amount_minor: Mapped[int] = mapped_column(BigInteger, comment="positive, in the scheme's minor unit")
    effective_on: Mapped[date] = mapped_column(Date)
    line: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    debit_kind: Mapped[AccountKind] = mapped_column(SmallEnum(AccountKind))
    credit_kind: Mapped[AccountKind] = mapped_column(SmallEnum(AccountKind))
    scheme_id: Mapped[int] = mapped_column(SmallInteger, comment="gives the unit")

    __table_args__ = (
        CheckConstraint("amount_minor > 0", name="amount_positive"),
        CheckConstraint("(debit_kind, debit_id) <> (credit_kind, credit_id)", name="two_accounts"),
        Index("ix_transfer_xid", "xid"),
        {"postgresql_partition_by": "RANGE (journal_entry_id)"},
    )


class EntitlementRow(Base):
    """What one run granted to one citizen, and what is left of it. `granted_minor` never changes."""

    __tablename__ = "entitlement"

    citizen_id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    allocation_run_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    granted_minor: Mapped[int] = mapped_column(BigInteger)
    available_minor: Mapped[int] = mapped_column(BigInteger, comment="equals the sum of its transfers; in no index")
    counted_minor: Mapped[int] = mapped_column(BigInteger, comment="balance counted against the ceiling when granted")
    expires_on: Mapped[date] = mapped_column(Date, comment="last usable day; 9999-12-31 never")
    fund_id: Mapped[int] = mapped_column(Integer, comment="who paid, and gets back what expires")
    restriction_id: Mapped[int] = mapped_column(Integer, comment="0: free for every offer of the scheme")
    scheme_id: Mapped[int] = mapped_column(SmallInteger)
    source: Mapped[EntitlementSource] = mapped_column(SmallEnum(EntitlementSource))

    __table_args__ = (
        CheckConstraint("available_minor BETWEEN 0 AND granted_minor", name="available_within_granted"),
        CheckConstraint("granted_minor > 0", name="granted_positive"),
        {"postgresql_with": {"fillfactor": "90"}},
    )


class FundBalanceRow(Base):
    """What a fund with a hard limit can still give. The row is locked last, for the commit only."""

    __tablename__ = "fund_balance"

    fund_id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    available_minor: Mapped[int] = mapped_column(BigInteger)

    __table_args__ = (
        CheckConstraint("available_minor >= 0", name="available_not_negative"),
        {"postgresql_with": {"fillfactor": "50"}},
    )


class AppropriationRow(Base):
    """Money given to a fund from outside, with its legal basis."""

    __tablename__ = "appropriation"

    appropriation_id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    fund_id: Mapped[int] = mapped_column(Integer)
    amount_minor: Mapped[int] = mapped_column(BigInteger)
    effective_on: Mapped[date] = mapped_column(Date)
    recorded_at: Mapped[datetime] = mapped_column(UtcDateTime)
    actor_id: Mapped[int] = mapped_column(BigInteger)
    reference: Mapped[str] = mapped_column(Text, comment="law or decision; unique, so that a repeat adds nothing")

    __table_args__ = (
        UniqueConstraint("fund_id", "reference"),
        CheckConstraint("amount_minor > 0", name="amount_positive"),
    )


class LedgerPeriodRow(Base):
    """A booking year that is no longer open. A year without a row is open."""

    __tablename__ = "ledger_period"

    period: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    state: Mapped[PeriodState] = mapped_column(TextEnum(PeriodState))
    fenced_at: Mapped[datetime] = mapped_column(UtcDateTime)
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    totals_digest: Mapped[bytes | None] = mapped_column(LargeBinary, comment="SHA-256 over the totals at closing")

    __table_args__ = (CheckConstraint(words_check("state", PeriodState), name="state"),)
