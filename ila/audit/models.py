"""Who did or saw what: append-only."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Identity, Index, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from ila.db.base import Base
from ila.db.types import UtcDateTime


class AuditEventRow(Base):
    """One act: the actor, a word for the act, the thing it was done to, and facts without personal data."""

    __tablename__ = "audit_event"

    audit_event_id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    recorded_at: Mapped[datetime] = mapped_column(UtcDateTime)
    actor_id: Mapped[int] = mapped_column(BigInteger)
    act: Mapped[str] = mapped_column(Text, comment="such as allocation_run.approved")
    subject: Mapped[str] = mapped_column(Text, comment="kind of thing, such as allocation_run")
    subject_id: Mapped[int] = mapped_column(BigInteger)
    facts: Mapped[dict[str, Any]] = mapped_column(JSONB)

    __table_args__ = (Index("ix_audit_event_subject", "subject", "subject_id"),)
