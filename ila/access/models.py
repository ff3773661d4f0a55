"""People who work with the platform, and the tokens by which they and citizens are known to it."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, Index, LargeBinary, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from ila.access.rules import Role
from ila.db.base import SCHEMA, Base
from ila.db.types import TextEnum, UtcDateTime, words_check


class UserAccountRow(Base):
    """One human being who works with the platform. Four eyes are two of these rows."""

    __tablename__ = "user_account"

    user_account_id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    name: Mapped[str] = mapped_column(Text, unique=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    disabled_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    __table_args__ = (CheckConstraint("name ~ '^[a-z][a-z0-9._-]{1,63}$'", name="name"),)


class RoleGrantRow(Base):
    """A role given to a person for a time. Rights are read at each request: revoked means now."""

    __tablename__ = "role_grant"

    role_grant_id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    user_account_id: Mapped[int] = mapped_column(BigInteger, ForeignKey(f"{SCHEMA}.user_account.user_account_id"))
    role: Mapped[Role] = mapped_column(TextEnum(Role))
    granted_at: Mapped[datetime] = mapped_column(UtcDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    __table_args__ = (
        CheckConstraint(words_check("role", Role), name="role"),
        CheckConstraint("role <> 'citizen'", name="role_of_a_person_at_work"),
        Index(
            "uq_role_grant_held",
            "user_account_id",
            "role",
            unique=True,
            postgresql_where=text("revoked_at IS NULL"),
        ),
    )


class ApiTokenRow(Base):
    """A bearer token: 256 random bits, of which only the SHA-256 is kept. It carries one role of one holder."""

    __tablename__ = "api_token"

    api_token_id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    token_sha256: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    role: Mapped[Role] = mapped_column(TextEnum(Role))
    user_account_id: Mapped[int | None] = mapped_column(
        BigInteger, ForeignKey(f"{SCHEMA}.user_account.user_account_id")
    )
    citizen_id: Mapped[int | None] = mapped_column(BigInteger, comment="the one account a citizen's token can read")
    label: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    __table_args__ = (
        CheckConstraint(words_check("role", Role), name="role"),
        CheckConstraint("octet_length(token_sha256) = 32", name="token_sha256"),
        CheckConstraint("(role = 'citizen') = (citizen_id IS NOT NULL)", name="citizen"),
        CheckConstraint("(role = 'citizen') = (user_account_id IS NULL)", name="holder"),
        CheckConstraint("expires_at > created_at", name="expires"),
    )
