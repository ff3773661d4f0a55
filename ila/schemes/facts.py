"""What is known of one citizen on a day, as the rules read it. No policy, no database."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from ila.schemes.policy import EmploymentStatus, WorkBasis


@dataclass(frozen=True, slots=True)
class WorkRecord:
    """Working time of one job in the period. `reference` None: the policy's own reference for the basis."""

    basis: WorkBasis
    worked: Decimal
    reference: Decimal | None = None


@dataclass(frozen=True, slots=True)
class CitizenFacts:
    """What is known of one citizen on the reference day. None is "not known", never zero. Income is a year's."""

    born_on: date
    employment_status: EmploymentStatus
    resides_here: bool
    works_here: bool
    national: bool
    qualification_level: int | None = None
    income_minor: int | None = None
    category: str | None = None
    region: str | None = None
    attested: frozenset[str] = frozenset()  # criteria with an attestation that is valid on the day
    work_records: tuple[WorkRecord, ...] = ()
    open: bool = True  # the account


@dataclass(frozen=True, slots=True)
class Counted:
    """What the ledger says: minor units that count against the ceiling; was this credit ever made before."""

    counted_minor: int
    already_credited: bool
