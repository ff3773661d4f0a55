"""What is true of a citizen on a day. Pure."""

from enum import StrEnum


class AccountStatus(StrEnum):
    """Whether the account can receive and spend."""

    OPEN = "open"
    CLOSED = "closed"


class ClosingReason(StrEnum):
    """Why an account is closed."""

    DEATH = "death"
    RETIREMENT = "retirement"
    AGE = "age"
    REQUEST = "request"
    DUPLICATE = "duplicate"


class EvidenceSource(StrEnum):
    """Where an attestation comes from, strongest first."""

    REGISTER = "register"
    ATTESTATION = "attestation"
    DECLARATION = "declaration"
