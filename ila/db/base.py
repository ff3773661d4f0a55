"""The declarative base of every `models.py`, and the names constraints get.

All tables live in the schema `ila`: since PostgreSQL 15 nobody may create in `public`, and an operator's own
extensions stay apart from ours.
"""

from sqlalchemy import MetaData
from sqlalchemy.orm import DeclarativeBase

SCHEMA = "ila"

NAMING_CONVENTION = {
    "pk": "pk_%(table_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(referred_table_name)s",
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
}


class Base(DeclarativeBase):
    """Every table of the platform."""

    metadata = MetaData(schema=SCHEMA, naming_convention=NAMING_CONVENTION)
