"""Citizens and the facts their entitlements rest on.

Facts are bi-temporal. `valid_from`/`valid_until` say when a fact holds in the world; `recorded_no`/`superseded_no`
say from which change on the platform knew it, and from which change on it knows better. A change number is taken
under a lock (`ila.db.locks`), so "as known at change n" is exact whatever commits late, and needs no clock.
Personal details stand apart, encrypted, and nothing else refers to them.
"""

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Date,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    Numeric,
    SmallInteger,
    Text,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from ila.citizens.rules import AccountStatus, ChangeKind, EvidenceSource
from ila.db.base import SCHEMA, Base
from ila.db.types import TextEnum, UtcDateTime, words_check
from ila.schemes.policy import EmploymentStatus, WorkBasis

STILL_KNOWN = 2**63 - 1
"""`superseded_no` of a fact that nothing has corrected."""

_STILL_KNOWN = text(str(STILL_KNOWN))
_NO_END = text("'9999-12-31'")


class CitizenRow(Base):
    """An adult who holds an account. The row that every command on the citizen locks; it holds no balance."""

    __tablename__ = "citizen"

    citizen_id: Mapped[int] = mapped_column(
        BigInteger, primary_key=True, autoincrement=False, comment="dense, dealt in shuffled order; never shown"
    )
    reference: Mapped[str] = mapped_column(Text, unique=True, comment="public and unguessable: 128 random bits")
    status: Mapped[AccountStatus] = mapped_column(TextEnum(AccountStatus))
    opened_on: Mapped[date] = mapped_column(Date)
    closed_on: Mapped[date | None] = mapped_column(Date)
    frozen_at: Mapped[datetime | None] = mapped_column(UtcDateTime, comment="no debit while set")

    __table_args__ = (
        CheckConstraint("citizen_id > 0", name="citizen_id"),
        CheckConstraint(words_check("status", AccountStatus), name="status"),
        CheckConstraint("(status = 'closed') = (closed_on IS NOT NULL)", name="closed_on"),
    )


class PersonalDetailRow(Base):
    """Who the citizen is: a keyed hash to find the person again, and one encrypted text.

    Erasing the text leaves the ledger whole.
    """

    __tablename__ = "personal_detail"

    citizen_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey(f"{SCHEMA}.citizen.citizen_id"), primary_key=True, autoincrement=False
    )
    identifier_hash: Mapped[bytes] = mapped_column(
        LargeBinary, unique=True, comment="HMAC-SHA-256 of country, type and normalised identifier; kept after erasure"
    )
    pepper_version: Mapped[int] = mapped_column(SmallInteger)
    key_version: Mapped[int] = mapped_column(SmallInteger, comment="of the key that wraps the person's data key")
    wrapped_key: Mapped[bytes | None] = mapped_column(LargeBinary, comment="the person's data key; NULL once erased")
    detail: Mapped[bytes | None] = mapped_column(LargeBinary, comment="AES-256-GCM: identifier, names, contacts")
    detail_hash: Mapped[bytes | None] = mapped_column(
        LargeBinary, comment="HMAC-SHA-256 of the details: tells whether they changed"
    )

    __table_args__ = (
        CheckConstraint("octet_length(identifier_hash) = 32", name="identifier_hash"),
        CheckConstraint(
            "(wrapped_key IS NULL) = (detail IS NULL) AND (detail IS NULL) = (detail_hash IS NULL)",
            name="erased_whole",
        ),
    )


class FactChangeRow(Base):
    """One change of facts: who said so, when, and why. Its number orders knowledge."""

    __tablename__ = "fact_change"

    fact_change_no: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    recorded_at: Mapped[datetime] = mapped_column(UtcDateTime)
    actor_id: Mapped[int] = mapped_column(BigInteger)
    kind: Mapped[ChangeKind] = mapped_column(TextEnum(ChangeKind))
    citizen_import_id: Mapped[int | None] = mapped_column(BigInteger)

    __table_args__ = (CheckConstraint(words_check("kind", ChangeKind), name="kind"),)


class CitizenFactRow(Base):
    """The circumstances of a citizen over a stretch of time, as known over a stretch of changes."""

    __tablename__ = "citizen_fact"

    citizen_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey(f"{SCHEMA}.citizen.citizen_id"), primary_key=True, autoincrement=False
    )
    recorded_no: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    superseded_no: Mapped[int] = mapped_column(BigInteger, server_default=_STILL_KNOWN)
    income_minor: Mapped[int | None] = mapped_column(BigInteger, comment="a year, in cents of the national currency")
    valid_from: Mapped[date] = mapped_column(Date, primary_key=True)
    valid_until: Mapped[date] = mapped_column(Date, server_default=_NO_END, comment="excluded")
    born_on: Mapped[date] = mapped_column(Date)
    qualification_level: Mapped[int | None] = mapped_column(
        SmallInteger, comment="European Qualifications Framework, 0 to 8"
    )
    account_open: Mapped[bool] = mapped_column(Boolean, comment="false from the day the account was closed")
    resides_here: Mapped[bool] = mapped_column(Boolean)
    works_here: Mapped[bool] = mapped_column(Boolean)
    national: Mapped[bool] = mapped_column(Boolean)
    employment_status: Mapped[EmploymentStatus] = mapped_column(TextEnum(EmploymentStatus))
    category: Mapped[str | None] = mapped_column(Text, comment="of a public agent: A, B or C")
    region: Mapped[str | None] = mapped_column(Text, comment="NUTS code")

    __table_args__ = (
        CheckConstraint("valid_from < valid_until", name="valid_range"),
        CheckConstraint("recorded_no < superseded_no", name="known_range"),
        CheckConstraint("income_minor >= 0", name="income"),
        CheckConstraint("qualification_level BETWEEN 0 AND 8", name="qualification_level"),
        CheckConstraint(words_check("employment_status", EmploymentStatus), name="employment_status"),
        Index(
            "uq_citizen_fact_current",
            "citizen_id",
            "valid_from",
            unique=True,
            postgresql_where=text(f"superseded_no = {STILL_KNOWN}"),
        ),
    )


class NeedAttestationRow(Base):
    """Evidence that a need criterion holds: its code, source and period; never the diagnosis behind it."""

    __tablename__ = "need_attestation"

    citizen_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey(f"{SCHEMA}.citizen.citizen_id"), primary_key=True, autoincrement=False
    )
    criterion: Mapped[str] = mapped_column(Text, primary_key=True)
    recorded_no: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    valid_from: Mapped[date] = mapped_column(Date, primary_key=True)
    superseded_no: Mapped[int] = mapped_column(BigInteger, server_default=_STILL_KNOWN)
    valid_until: Mapped[date] = mapped_column(Date, server_default=_NO_END, comment="excluded")
    source: Mapped[EvidenceSource] = mapped_column(TextEnum(EvidenceSource))

    __table_args__ = (
        CheckConstraint("valid_from < valid_until", name="valid_range"),
        CheckConstraint("recorded_no < superseded_no", name="known_range"),
        CheckConstraint("criterion ~ '^[a-z][a-z0-9_]*$'", name="criterion"),
        CheckConstraint(words_check("source", EvidenceSource), name="source"),
        Index(
            "uq_need_attestation_current",
            "citizen_id",
            "criterion",
            "valid_from",
            unique=True,
            postgresql_where=text(f"superseded_no = {STILL_KNOWN}"),
        ),
    )


class WorkRecordRow(Base):
    """Working time of one job in one stretch of a calendar year; several jobs add up to at most a full year."""

    __tablename__ = "work_record"

    citizen_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey(f"{SCHEMA}.citizen.citizen_id"), primary_key=True, autoincrement=False
    )
    job_no: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    recorded_no: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    valid_from: Mapped[date] = mapped_column(Date, primary_key=True)
    superseded_no: Mapped[int] = mapped_column(BigInteger, server_default=_STILL_KNOWN)
    valid_until: Mapped[date] = mapped_column(Date, comment="excluded")
    basis: Mapped[WorkBasis] = mapped_column(TextEnum(WorkBasis))
    worked: Mapped[Decimal] = mapped_column(Numeric(18, 4))
    reference: Mapped[Decimal | None] = mapped_column(Numeric(18, 4), comment="100 % of the job; NULL: the scheme's")

    __table_args__ = (
        CheckConstraint("valid_from < valid_until", name="valid_range"),
        CheckConstraint(
            "valid_until <= make_date(extract(year from valid_from)::integer + 1, 1, 1)", name="calendar_year"
        ),
        CheckConstraint("recorded_no < superseded_no", name="known_range"),
        CheckConstraint("worked >= 0", name="worked"),
        CheckConstraint("reference > 0", name="reference"),
        CheckConstraint(words_check("basis", WorkBasis), name="basis"),
        Index(
            "uq_work_record_current",
            "citizen_id",
            "job_no",
            "valid_from",
            unique=True,
            postgresql_where=text(f"superseded_no = {STILL_KNOWN}"),
        ),
    )


class ImportState(StrEnum):
    """Life of an import of a population."""

    RUNNING = "running"
    FINISHED = "finished"
    FAILED = "failed"


class CitizenImportRow(Base):
    """One file of a population and what became of its rows."""

    __tablename__ = "citizen_import"

    citizen_import_id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    file_name: Mapped[str] = mapped_column(Text)
    file_sha256: Mapped[bytes | None] = mapped_column(LargeBinary)
    actor_id: Mapped[int] = mapped_column(BigInteger)
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    state: Mapped[ImportState] = mapped_column(TextEnum(ImportState))
    rows_read: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    rows_opened: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    rows_updated: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    rows_unchanged: Mapped[int] = mapped_column(Integer, server_default=text("0"))
    rows_refused: Mapped[int] = mapped_column(Integer, server_default=text("0"))

    __table_args__ = (CheckConstraint(words_check("state", ImportState), name="state"),)


class CitizenImportSeenRow(Base):
    """Persons a running import has met, so that a second row for one of them is found. Emptied when it ends."""

    __tablename__ = "citizen_import_seen"

    citizen_import_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    identifier_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    line_no: Mapped[int] = mapped_column(Integer, comment="of the file; the first line is 1")

    __table_args__ = ({"prefixes": ["UNLOGGED"]},)
