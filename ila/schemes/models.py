"""Schemes, their funds, and the parameter sets that decided something. A stored set never changes."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    ForeignKey,
    Identity,
    Integer,
    LargeBinary,
    SmallInteger,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from ila.db.base import SCHEMA, Base
from ila.db.types import UtcDateTime


class SchemeRow(Base):
    """A dated set of rules with one unit. The unit of a scheme never changes."""

    __tablename__ = "scheme"

    scheme_id: Mapped[int] = mapped_column(SmallInteger, Identity(), primary_key=True)
    code: Mapped[str] = mapped_column(Text, unique=True)
    title: Mapped[str] = mapped_column(Text)
    unit: Mapped[str] = mapped_column(Text, comment="ISO 4217 code, or hours")
    minor_units: Mapped[int] = mapped_column(SmallInteger, comment="decimals of the unit: EUR 2, KRW 0, hours 0")
    time_zone: Mapped[str] = mapped_column(Text)

    __table_args__ = (CheckConstraint("minor_units BETWEEN 0 AND 4", name="minor_units"),)


class FundRow(Base):
    """Who pays. A limited fund never gives more than was appropriated to it."""

    __tablename__ = "fund"

    fund_id: Mapped[int] = mapped_column(Integer, Identity(), primary_key=True)
    scheme_id: Mapped[int] = mapped_column(SmallInteger, ForeignKey(f"{SCHEMA}.scheme.scheme_id"))
    code: Mapped[str] = mapped_column(Text)
    title: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(Text, comment="state, region, employer, sector_fund, employment_service, citizen")
    limited: Mapped[bool] = mapped_column(Boolean)

    __table_args__ = (UniqueConstraint("scheme_id", "code"),)


class ParameterSetRow(Base):
    """A parameter set as it was when it first decided something, under the SHA-256 of its canonical form."""

    __tablename__ = "parameter_set"

    digest: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    scheme_id: Mapped[int] = mapped_column(SmallInteger, ForeignKey(f"{SCHEMA}.scheme.scheme_id"))
    canonical: Mapped[dict[str, Any]] = mapped_column(JSONB, comment="rebuilds the set without its files")
    registered_at: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = (CheckConstraint("octet_length(digest) = 32", name="digest"),)
