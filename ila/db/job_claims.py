"""Who runs a due job: the one that inserts (job, scheduled_for). Any number of schedulers may try."""

from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import CheckConstraint, Integer, Text, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, mapped_column

from ila.db.base import Base
from ila.db.session import WriteSession
from ila.db.types import TextEnum, UtcDateTime, words_check


class JobState(StrEnum):
    """Where a claimed job stands."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class JobRunRow(Base):
    """One due time of one job, claimed once. `scheduled_for` is the business time it was due, not when it ran."""

    __tablename__ = "job_run"

    job: Mapped[str] = mapped_column(Text, primary_key=True)
    scheduled_for: Mapped[datetime] = mapped_column(UtcDateTime, primary_key=True)
    state: Mapped[JobState] = mapped_column(TextEnum(JobState))
    claimed_by: Mapped[str] = mapped_column(Text, comment="host and process")
    claimed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    heartbeat_at: Mapped[datetime] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    tries: Mapped[int] = mapped_column(Integer, server_default=text("1"))
    outcome: Mapped[str | None] = mapped_column(Text, comment="one sentence")

    __table_args__ = (CheckConstraint(words_check("state", JobState), name="state"),)


STALE_AFTER = timedelta(minutes=5)
"""A claim whose heartbeat is older may be taken over: jobs are idempotent, a claim only spares work."""


def claim_job(session: WriteSession, job: str, scheduled_for: datetime, *, claimed_by: str, now: datetime) -> bool:
    """Return True for the one caller that may run the job now: the first, or one that takes over a stale claim."""
    inserted = session.execute(
        insert(JobRunRow)
        .values(
            job=job,
            scheduled_for=scheduled_for,
            state=JobState.RUNNING,
            claimed_by=claimed_by,
            claimed_at=now,
            heartbeat_at=now,
        )
        .on_conflict_do_nothing()
        .returning(JobRunRow.job)
    ).one_or_none()
    if inserted:
        return True
    taken_over = session.execute(
        update(JobRunRow)
        .where(
            JobRunRow.job == job,
            JobRunRow.scheduled_for == scheduled_for,
            JobRunRow.state == JobState.RUNNING,
            JobRunRow.heartbeat_at < now - STALE_AFTER,
        )
        .values(claimed_by=claimed_by, claimed_at=now, heartbeat_at=now, tries=JobRunRow.tries + 1)
        .returning(JobRunRow.job)
    ).one_or_none()
    return taken_over is not None


def heartbeat(session: WriteSession, job: str, scheduled_for: datetime, *, now: datetime) -> None:
    """Say that the job is still under way."""
    session.execute(
        update(JobRunRow)
        .where(JobRunRow.job == job, JobRunRow.scheduled_for == scheduled_for)
        .values(heartbeat_at=now)
    )


def finish_job(
    session: WriteSession, job: str, scheduled_for: datetime, *, state: JobState, outcome: str, now: datetime
) -> None:
    """Write the end of a job and one sentence about it."""
    session.execute(
        update(JobRunRow)
        .where(JobRunRow.job == job, JobRunRow.scheduled_for == scheduled_for)
        .values(state=state, outcome=outcome, finished_at=now, heartbeat_at=now)
    )


def last_claim(session: WriteSession, job: str) -> datetime | None:
    """Return the latest due time of a job that anybody claimed, or None."""
    return session.scalars(
        select(JobRunRow.scheduled_for).where(JobRunRow.job == job).order_by(JobRunRow.scheduled_for.desc()).limit(1)
    ).one_or_none()
