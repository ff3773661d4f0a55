"""Request keys: the same key and content have one effect and one answer.

The key is claimed by the first write of the transaction and the answer is stored in the same transaction, so effect
and memory of it commit together. A repeat that runs while the first is under way waits for it at the unique index.
Source: draft-ietf-httpapi-idempotency-key-header.
"""

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, LargeBinary, SmallInteger, Text, select, update
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.orm import Mapped, mapped_column

from ila.db.base import Base
from ila.db.session import WriteSession
from ila.db.types import UtcDateTime
from ila.errors import Invalid, Refused

_KEY = re.compile(r"[\x21-\x7e]{16,64}")


class RequestKeyRow(Base):
    """A key that a principal used, what was asked under it, and the answer. Keys of money commands never expire."""

    __tablename__ = "request_key"

    scope: Mapped[int] = mapped_column(
        BigInteger, primary_key=True, autoincrement=False, comment="actor_id of the caller"
    )
    key: Mapped[str] = mapped_column(Text, primary_key=True)
    body_sha256: Mapped[bytes] = mapped_column(LargeBinary, comment="of method, route, principal and loaded request")
    status: Mapped[int | None] = mapped_column(SmallInteger)
    answer: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    recorded_at: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = (
        CheckConstraint("octet_length(key) BETWEEN 16 AND 64", name="key"),
        CheckConstraint("octet_length(body_sha256) = 32", name="body_sha256"),
    )


@dataclass(frozen=True, slots=True)
class Answer:
    """The stored answer of a finished request."""

    status: int
    body: dict[str, Any]


class KeyInvalid(Invalid):
    """The key has not the form asked for."""

    code = "key_invalid"


class KeyReused(Refused):
    """The key was used before for another request."""

    code = "key_reused"


def content_digest(canonical: bytes) -> bytes:
    """Return the SHA-256 that tells two requests apart; `canonical` holds method, route, principal and request."""
    return hashlib.sha256(canonical).digest()


def claim(session: WriteSession, scope: int, key: str, body_sha256: bytes, *, now: datetime) -> Answer | None:
    """Claim a key, or return the answer it already has.

    Raises `KeyInvalid` for a malformed key and `KeyReused` for the same key with other content; nothing is done then.
    """
    if not _KEY.fullmatch(key):
        raise KeyInvalid("An Idempotency-Key is 16 to 64 visible ASCII characters; send a fresh random one.")
    claimed = session.execute(
        insert(RequestKeyRow)
        .values(scope=scope, key=key, body_sha256=body_sha256, recorded_at=now)
        .on_conflict_do_nothing()
        .returning(RequestKeyRow.scope)
    ).one_or_none()
    if claimed:
        return None
    # A statement of its own: the row of a transaction that this one waited for is not in the insert's snapshot.
    known = session.execute(
        select(RequestKeyRow.body_sha256, RequestKeyRow.status, RequestKeyRow.answer).where(
            RequestKeyRow.scope == scope, RequestKeyRow.key == key
        )
    ).one()
    if known.body_sha256 != body_sha256:
        raise KeyReused("This Idempotency-Key was used for another request; send a fresh one.")
    return Answer(known.status, known.answer)


def remember(session: WriteSession, scope: int, key: str, answer: Answer) -> None:
    """Store the answer in the transaction that did the work."""
    session.execute(
        update(RequestKeyRow)
        .where(RequestKeyRow.scope == scope, RequestKeyRow.key == key)
        .values(status=answer.status, answer=answer.body)
    )
