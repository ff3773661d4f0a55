"""Who saw or did what, append-only. Door: `record`, `of_subject`."""

from ila.audit.commands import record
from ila.audit.queries import of_subject

__all__ = ["of_subject", "record"]
