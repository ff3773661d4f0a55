"""Ask who somebody is, which people work with the platform, and which tokens there are."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from ila.access.models import ApiTokenRow, RoleGrantRow, UserAccountRow
from ila.access.rules import Actor, NotAuthenticated, Role
from ila.errors import NotFound

TOKEN_PREFIX = "ila_"  # noqa: S105  the fixed beginning, by which a leaked token is recognised
TOKEN_BYTES = 32

_TOKEN = re.compile(rf"{TOKEN_PREFIX}[A-Za-z0-9_-]{{43}}")


class NoSuchUser(NotFound):
    """No user account has this name."""

    code = "no_such_user"


class NoSuchToken(NotFound):
    """No token has this number."""

    code = "no_such_token"


@dataclass(frozen=True, slots=True)
class User:
    """A person who works with the platform, with the roles held now."""

    user_account_id: int
    name: str
    disabled_at: datetime | None
    roles: tuple[Role, ...]


@dataclass(frozen=True, slots=True)
class ApiToken:
    """What is known of a token: never its text. `holder` is a user's name; a citizen's account is not named."""

    api_token_id: int
    role: Role
    holder: str | None
    label: str
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None


def token_digest(text: str) -> bytes:
    """Return the SHA-256 under which a token is stored. 256 random bits need no salt and no slow hash."""
    return hashlib.sha256(text.encode()).digest()


def authenticate(session: Session, token_text: str, *, now: datetime) -> Actor:
    """Return who holds a token, with the rights of this moment; raises `NotAuthenticated`, the same for every reason.

    Expiry, revocation, the user's account and the grant of the role are read each time: revoked means now.
    """
    if not _TOKEN.fullmatch(token_text):
        raise NotAuthenticated
    found = session.execute(
        select(ApiTokenRow.role, ApiTokenRow.citizen_id, UserAccountRow.user_account_id, UserAccountRow.name)
        .outerjoin(UserAccountRow, UserAccountRow.user_account_id == ApiTokenRow.user_account_id)
        .outerjoin(
            RoleGrantRow,
            and_(
                RoleGrantRow.user_account_id == ApiTokenRow.user_account_id,
                RoleGrantRow.role == ApiTokenRow.role,
                RoleGrantRow.revoked_at.is_(None),
            ),
        )
        .where(
            ApiTokenRow.token_sha256 == token_digest(token_text),
            ApiTokenRow.expires_at > now,
            ApiTokenRow.revoked_at.is_(None),
            or_(
                ApiTokenRow.role == Role.CITIZEN,
                and_(UserAccountRow.disabled_at.is_(None), RoleGrantRow.role_grant_id.is_not(None)),
            ),
        )
    ).one_or_none()
    if found is None:
        raise NotAuthenticated
    if found.role is Role.CITIZEN:
        return Actor(-found.citizen_id, Role.CITIZEN, "citizen", found.citizen_id)
    return Actor(found.user_account_id, found.role, found.name)


def user_of_name(session: Session, name: str) -> User:
    """Return a user account by its name; raises `NoSuchUser`."""
    found = users(session, name=name)
    if not found:
        raise NoSuchUser(f"There is no user {name!r}; `ila tokens user list` shows the users there are.", name=name)
    return found[0]


def users(session: Session, *, name: str | None = None) -> Sequence[User]:
    """Return the user accounts, by name, disabled ones included."""
    held = func.array_agg(RoleGrantRow.role).filter(RoleGrantRow.revoked_at.is_(None))
    statement = (
        select(UserAccountRow.user_account_id, UserAccountRow.name, UserAccountRow.disabled_at, held.label("roles"))
        .outerjoin(RoleGrantRow, RoleGrantRow.user_account_id == UserAccountRow.user_account_id)
        .group_by(UserAccountRow.user_account_id)
        .order_by(UserAccountRow.name)
    )
    if name is not None:
        statement = statement.where(UserAccountRow.name == name)
    return [
        User(row.user_account_id, row.name, row.disabled_at, tuple(sorted(Role(role) for role in row.roles or ())))
        for row in session.execute(statement)
    ]


def tokens(session: Session, *, token_text: str | None = None) -> Sequence[ApiToken]:
    """Return what is known of the tokens, the newest first; with `token_text`, of that one alone."""
    statement = (
        select(ApiTokenRow, UserAccountRow.name)
        .outerjoin(UserAccountRow, UserAccountRow.user_account_id == ApiTokenRow.user_account_id)
        .order_by(ApiTokenRow.api_token_id.desc())
    )
    if token_text is not None:
        statement = statement.where(ApiTokenRow.token_sha256 == token_digest(token_text))
    return [
        ApiToken(row.api_token_id, row.role, holder, row.label, row.created_at, row.expires_at, row.revoked_at)
        for row, holder in session.execute(statement)
    ]
