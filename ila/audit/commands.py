"""Record acts. A record belongs to the transaction of the act: both happen or neither."""

from datetime import datetime
from typing import Any

from ila.access.rules import Actor
from ila.audit.models import AuditEventRow
from ila.db.session import WriteSession


def record(
    session: WriteSession, actor: Actor, act: str, subject: str, subject_id: int, *, now: datetime, **facts: Any
) -> None:
    """Add one audit event; `facts` are JSON values and hold no personal data."""
    session.add(
        AuditEventRow(
            recorded_at=now, actor_id=actor.actor_id, act=act, subject=subject, subject_id=subject_id, facts=facts
        )
    )
