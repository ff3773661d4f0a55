"""Who runs a due job: the one that inserts (job, scheduled_for). Any number of schedulers may try."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import CheckConstraint, Integer, Text, delete, func, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

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
        update(JobRunRow).where(JobRunRow.job == job, JobRunRow.scheduled_for == scheduled_for).values(heartbeat_at=now)
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


@dataclass(frozen=True, slots=True)
class JobRun:
    """One claimed due time of a job, and what became of it."""

    job: str
    scheduled_for: datetime
    state: JobState
    claimed_by: str
    claimed_at: datetime
    heartbeat_at: datetime
    finished_at: datetime | None
    tries: int
    outcome: str | None

    def is_stale(self, now: datetime) -> bool:
        """Tell whether its process gave no sign of life for so long that another may take over."""
        return self.state is JobState.RUNNING and self.heartbeat_at < now - STALE_AFTER


def _view(row: JobRunRow) -> JobRun:
    return JobRun(
        row.job, row.scheduled_for, row.state, row.claimed_by, row.claimed_at, row.heartbeat_at, row.finished_at,
        row.tries, row.outcome,
    )  # fmt: skip


def claim_again(session: WriteSession, job: str, scheduled_for: datetime, *, claimed_by: str, now: datetime) -> bool:
    """Claim a due time that may have been done before, for somebody who asks for it; False while it is under way."""
    claimed = session.execute(
        insert(JobRunRow)
        .values(
            job=job,
            scheduled_for=scheduled_for,
            state=JobState.RUNNING,
            claimed_by=claimed_by,
            claimed_at=now,
            heartbeat_at=now,
        )
        .on_conflict_do_update(
            index_elements=["job", "scheduled_for"],
            set_={
                "state": JobState.RUNNING,
                "claimed_by": claimed_by,
                "claimed_at": now,
                "heartbeat_at": now,
                "finished_at": None,
                "outcome": None,
                "tries": JobRunRow.tries + 1,
            },
            where=or_(JobRunRow.state != JobState.RUNNING, JobRunRow.heartbeat_at < now - STALE_AFTER),
        )
        .returning(JobRunRow.job)
    ).one_or_none()
    return claimed is not None


def put_off(session: WriteSession, job: str, scheduled_for: datetime, *, outcome: str, now: datetime) -> None:
    """Say why a claimed job cannot be done yet; its claim goes stale, and whoever takes it over tries again."""
    session.execute(
        update(JobRunRow)
        .where(JobRunRow.job == job, JobRunRow.scheduled_for == scheduled_for)
        .values(outcome=outcome, heartbeat_at=now)
    )


def unfinished(session: Session, job: str) -> Sequence[JobRun]:
    """Return the claims of a job that have no end yet, the earliest first."""
    rows = session.scalars(
        select(JobRunRow)
        .where(JobRunRow.job == job, JobRunRow.state == JobState.RUNNING)
        .order_by(JobRunRow.scheduled_for)
    )
    return [_view(row) for row in rows]


def last_run(session: Session, job: str) -> JobRun | None:
    """Return the latest due time of a job that was claimed, with its outcome; None for a job that never ran."""
    row = session.scalars(
        select(JobRunRow).where(JobRunRow.job == job).order_by(JobRunRow.scheduled_for.desc()).limit(1)
    ).one_or_none()
    return None if row is None else _view(row)


def run_of(session: Session, job: str, scheduled_for: datetime) -> JobRun | None:
    """Return what became of one due time of a job; None where nobody claimed it."""
    row = session.get(JobRunRow, (job, scheduled_for), populate_existing=True)
    return None if row is None else _view(row)


def newest_heartbeat(session: Session, job: str) -> datetime | None:
    """Return the newest sign of life of a job that is under way anywhere; None where there is none."""
    return session.scalar(
        select(func.max(JobRunRow.heartbeat_at)).where(JobRunRow.job == job, JobRunRow.state == JobState.RUNNING)
    )


def drop_finished(session: WriteSession, *, before: datetime) -> int:
    """Forget claims that ended before an instant, but never the last one of a job; return how many."""
    later = select(JobRunRow.job, func.max(JobRunRow.scheduled_for).label("latest")).group_by(JobRunRow.job).subquery()
    gone = session.execute(
        delete(JobRunRow)
        .where(
            JobRunRow.job == later.c.job,
            JobRunRow.scheduled_for < later.c.latest,
            JobRunRow.state != JobState.RUNNING,
            JobRunRow.finished_at < before,
        )
        .returning(JobRunRow.job)
    )
    return len(gone.all())


def last_claim(session: Session, job: str) -> datetime | None:
    """Return the latest due time of a job that anybody claimed, or None."""
    return session.scalars(
        select(JobRunRow.scheduled_for).where(JobRunRow.job == job).order_by(JobRunRow.scheduled_for.desc()).limit(1)
    ).one_or_none()
