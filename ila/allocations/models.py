"""Allocation runs, their slices, and what could not be recomputed later."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Date,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from ila.allocations.rules import RunKind, RunState, SliceState
from ila.db.base import SCHEMA, Base
from ila.db.types import TextEnum, UtcDateTime, words_check
from ila.schemes.policy import Reason


class AllocationRunRow(Base):
    """One execution of a credit of a scheme, or one of the runs that every other entitlement belongs to.

    The plan (`plan_digest`) binds what was approved: parameters, reference day, facts as known, totals and a checksum
    over every single amount. Maker and checker are different people: a CHECK says so.
    """

    __tablename__ = "allocation_run"

    allocation_run_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    scheme_id: Mapped[int] = mapped_column(SmallInteger, ForeignKey(f"{SCHEMA}.scheme.scheme_id"))
    fund_id: Mapped[int] = mapped_column(Integer, ForeignKey(f"{SCHEMA}.fund.fund_id"))
    kind: Mapped[RunKind] = mapped_column(TextEnum(RunKind))
    credit_code: Mapped[str] = mapped_column(Text, comment="which credit of the scheme; empty for other kinds")
    period: Mapped[str] = mapped_column(Text, comment="what is credited: 2027, 2026/27, 2025-01; a day for an expiry")
    state: Mapped[RunState] = mapped_column(TextEnum(RunState))
    reference_on: Mapped[date] = mapped_column(Date, comment="facts and policy of this day decide")
    effective_on: Mapped[date] = mapped_column(Date, comment="the day the credit counts")
    facts_no: Mapped[int | None] = mapped_column(BigInteger, comment="facts as known at this change; set by preview")
    parameter_digest: Mapped[bytes | None] = mapped_column(LargeBinary)
    plan: Mapped[dict[str, Any] | None] = mapped_column(JSONB, comment="totals and distribution of the preview")
    plan_digest: Mapped[bytes | None] = mapped_column(LargeBinary)
    approved_digest: Mapped[bytes | None] = mapped_column(LargeBinary, comment="the plan_digest that was approved")
    opened_by: Mapped[int] = mapped_column(BigInteger)
    opened_at: Mapped[datetime] = mapped_column(UtcDateTime)
    previewed_by: Mapped[int | None] = mapped_column(BigInteger, comment="who made the plan that stands; 0 the clock")
    approved_by: Mapped[int | None] = mapped_column(BigInteger)
    approved_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    started_by: Mapped[int | None] = mapped_column(BigInteger)
    started_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    reverses_run_id: Mapped[int | None] = mapped_column(
        BigInteger, ForeignKey(f"{SCHEMA}.allocation_run.allocation_run_id")
    )
    failure: Mapped[str | None] = mapped_column(Text, comment="one sentence, when the state is failed")

    __table_args__ = (
        CheckConstraint(words_check("kind", RunKind), name="kind"),
        CheckConstraint(words_check("state", RunState), name="state"),
        CheckConstraint("approved_by <> opened_by AND approved_by <> previewed_by", name="four_eyes"),
        CheckConstraint("approved_by IS NULL OR previewed_by > 0", name="planned_by_a_person"),
        CheckConstraint(
            "approved_digest = plan_digest OR state IN ('draft', 'previewed', 'cancelled')", name="approved_plan"
        ),
        CheckConstraint(
            "state NOT IN ('approved', 'running', 'paused', 'failed', 'finished', 'reversed')"
            " OR kind IN ('request', 'return', 'expiry') OR (approved_by IS NOT NULL AND approved_digest IS NOT NULL)",
            name="approved_before_running",
        ),
        CheckConstraint("(kind = 'reversal') = (reverses_run_id IS NOT NULL)", name="reversal"),
        # A year is allocated once: only a cancelled or reversed run leaves its place to another.
        Index(
            "uq_allocation_run_period",
            "scheme_id",
            "kind",
            "credit_code",
            "period",
            unique=True,
            postgresql_where=text("kind IN ('yearly', 'cohort', 'expiry') AND state NOT IN ('cancelled', 'reversed')"),
        ),
        # A scheme runs one run at a time: the balances that one counts are not moved by another.
        Index("uq_allocation_run_running", "scheme_id", unique=True, postgresql_where=text("state = 'running'")),
        Index(
            "uq_allocation_run_reverses",
            "reverses_run_id",
            unique=True,
            postgresql_where=text("reverses_run_id IS NOT NULL AND state <> 'cancelled'"),
        ),
    )


class AllocationSliceRow(Base):
    """A stretch of citizens that is credited in one database transaction, and what it gave."""

    __tablename__ = "allocation_slice"

    allocation_run_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey(f"{SCHEMA}.allocation_run.allocation_run_id"), primary_key=True, autoincrement=False
    )
    slice_no: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    first_citizen_id: Mapped[int] = mapped_column(BigInteger)
    last_citizen_id: Mapped[int] = mapped_column(BigInteger, comment="included")
    journal_entry_id: Mapped[int] = mapped_column(BigInteger, comment="fixed beforehand: a repeat uses the same")
    state: Mapped[SliceState] = mapped_column(TextEnum(SliceState))
    credited: Mapped[int] = mapped_column(Integer, server_default=text("0"), comment="citizens with a transfer")
    not_credited: Mapped[int] = mapped_column(
        Integer, server_default=text("0"), comment="citizens with a reason instead"
    )
    amount_minor: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    __table_args__ = (
        CheckConstraint(words_check("state", SliceState), name="state"),
        CheckConstraint("first_citizen_id <= last_citizen_id", name="bounds"),
        Index("ix_allocation_slice_open", "allocation_run_id", "slice_no", postgresql_where=text("state = 'open'")),
    )


class AllocationRow(Base):
    """A citizen to whom a run gave nothing, and why. Who was credited has an entitlement instead."""

    __tablename__ = "allocation"

    citizen_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    allocation_run_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    counted_minor: Mapped[int] = mapped_column(BigInteger, comment="balance counted against the ceiling")
    reason: Mapped[Reason] = mapped_column(TextEnum(Reason))

    __table_args__ = (CheckConstraint(words_check("reason", Reason), name="reason"),)


class CreditRequestRow(Base):
    """A credit given to a citizen who asked. The key lets a period be used up once, whoever asks at the same time."""

    __tablename__ = "credit_request"

    citizen_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    scheme_id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    credit_code: Mapped[str] = mapped_column(Text, primary_key=True)
    period: Mapped[str] = mapped_column(Text, primary_key=True)
    allocation_run_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey(f"{SCHEMA}.allocation_run.allocation_run_id"), unique=True
    )
