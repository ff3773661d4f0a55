"""Ask who did what."""

from sqlalchemy import Select, select

from ila.audit.models import AuditEventRow


def of_subject(subject: str, subject_id: int) -> Select[AuditEventRow]:
    """The acts on one thing, in the order they were recorded."""
    return (
        select(AuditEventRow)
        .where(AuditEventRow.subject == subject, AuditEventRow.subject_id == subject_id)
        .order_by(AuditEventRow.audit_event_id)
    )
