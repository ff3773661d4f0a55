"""Refusals of the domain: a stable code, one clear sentence, and the facts behind it.

A `DomainError` is an expected answer ("no, because ..."), never a defect. Edges turn it into an exit code, an
RFC 9457 problem or a page; nothing below an edge catches it.
"""

from typing import Any, ClassVar


class DomainError(Exception):
    """An expected refusal. `code` is stable and machine-readable; the message says what is wrong and what to do."""

    code: ClassVar[str] = "refused"

    def __init__(self, message: str, **facts: Any) -> None:
        super().__init__(message)
        self.message = message
        self.facts = facts


class NotFound(DomainError):
    """The thing named does not exist, or the caller may not know that it does."""

    code = "not_found"


class Refused(DomainError):
    """A rule of the scheme, of the ledger or of access says no; the same request will be refused again."""

    code = "refused"


class Conflict(DomainError):
    """The request does not fit the present state of the thing; look again and decide anew."""

    code = "conflict"


class Invalid(DomainError):
    """What was given cannot be understood: a file, a row, a setting, a parameter."""

    code = "invalid"


class TryAgain(DomainError):
    """A passing fault (deadlock, time-out, lost connection): never an answer about money; repeat the request."""

    code = "try_again"
