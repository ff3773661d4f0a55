"""Give and take back: user accounts, roles, tokens. What is taken back ends at once, for every request that follows."""

import re
import secrets
from datetime import datetime

from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert

from ila.access.models import ApiTokenRow, RoleGrantRow, UserAccountRow
from ila.access.queries import TOKEN_BYTES, TOKEN_PREFIX, NoSuchToken, User, token_digest, user_of_name
from ila.access.rules import Role
from ila.db.session import WriteSession
from ila.errors import Conflict, Invalid, Refused

_NAME = re.compile(r"[a-z][a-z0-9._-]{1,63}")
LONGEST_LABEL = 200


class UserExists(Conflict):
    """A user account of this name exists; two accounts of one person would be four eyes of two."""

    code = "user_exists"


class RoleNotHeld(Refused):
    """A token can only carry a role that its holder has."""

    code = "role_not_held"


def create_user(session: WriteSession, name: str, now: datetime) -> User:
    """Open a user account for one human being; it may do nothing before a role is granted.

    Raises `Invalid` for a name that is not 2 to 64 of a-z, 0-9, dot, dash and underscore, and `UserExists`.
    """
    if not _NAME.fullmatch(name):
        raise Invalid(
            f"{name!r} cannot be a user's name; write 2 to 64 lower-case letters, digits, dots, dashes.",
            name=name,
        )
    created = session.execute(
        insert(UserAccountRow)
        .values(name=name, created_at=now)
        .on_conflict_do_nothing(index_elements=["name"])
        .returning(UserAccountRow.user_account_id)
    ).scalar_one_or_none()
    if created is None:
        raise UserExists(f"A user {name!r} exists already; choose another name, or grant roles to that one.", name=name)
    return User(created, name, None, ())


def disable_user(session: WriteSession, name: str, now: datetime) -> User:
    """Close a user account: all its tokens stop working with the next request. A second time changes nothing."""
    user = user_of_name(session, name)
    session.execute(
        update(UserAccountRow)
        .where(UserAccountRow.user_account_id == user.user_account_id, UserAccountRow.disabled_at.is_(None))
        .values(disabled_at=now)
    )
    return user_of_name(session, name)


def grant_role(session: WriteSession, user: User, role: Role, now: datetime) -> None:
    """Grant a role to a person; a second time changes nothing. Raises `Refused` for the role of a citizen."""
    if role is Role.CITIZEN:
        raise Refused("The role citizen belongs to an account, not to a user; issue a token for the account.")
    session.execute(
        insert(RoleGrantRow)
        .values(user_account_id=user.user_account_id, role=role, granted_at=now)
        .on_conflict_do_nothing()
    )


def revoke_role(session: WriteSession, user: User, role: Role, now: datetime) -> None:
    """Take a role back; tokens that carry it stop working with the next request."""
    session.execute(
        update(RoleGrantRow)
        .where(
            RoleGrantRow.user_account_id == user.user_account_id,
            RoleGrantRow.role == role,
            RoleGrantRow.revoked_at.is_(None),
        )
        .values(revoked_at=now)
    )


def issue_token(
    session: WriteSession,
    *,
    role: Role,
    label: str,
    expires_at: datetime,
    now: datetime,
    user: User | None = None,
    citizen_id: int | None = None,
) -> str:
    """Issue a token and return its text, which is shown this once: only its SHA-256 is kept.

    A citizen's token needs the `citizen_id` of the one account it reads, every other token a `user` who holds the
    role. Raises `RoleNotHeld`, and `Invalid` for an expiry that has passed or a label that says nothing.
    """
    if not 1 <= len(label.strip()) <= LONGEST_LABEL:
        raise Invalid(f"A token needs a label of 1 to {LONGEST_LABEL} characters that says what it is for.")
    if expires_at <= now:
        raise Invalid(f"The token would have expired already on {expires_at:%Y-%m-%d}; choose a later day.")
    if (role is Role.CITIZEN) != (citizen_id is not None) or (role is Role.CITIZEN) != (user is None):
        raise Invalid("A citizen's token is issued for an account, every other token for a user; name one of them.")
    if user is not None:
        held = user_of_name(session, user.name)
        if held.disabled_at is not None or role not in held.roles:
            raise RoleNotHeld(
                f"{user.name} does not hold the role {role.value} (any more); grant it first.", name=user.name
            )
    text = TOKEN_PREFIX + secrets.token_urlsafe(TOKEN_BYTES)
    session.add(
        ApiTokenRow(
            token_sha256=token_digest(text),
            role=role,
            user_account_id=user.user_account_id if user else None,
            citizen_id=citizen_id,
            label=label.strip(),
            created_at=now,
            expires_at=expires_at,
        )
    )
    session.flush()
    return text


def revoke_token(session: WriteSession, api_token_id: int, now: datetime) -> None:
    """End a token; the next request with it is refused. A second time changes nothing. Raises `NoSuchToken`."""
    if session.get(ApiTokenRow, api_token_id) is None:
        raise NoSuchToken(
            f"There is no token {api_token_id}; `ila tokens list` shows the tokens there are.",
            api_token_id=api_token_id,
        )
    session.execute(
        update(ApiTokenRow)
        .where(ApiTokenRow.api_token_id == api_token_id, ApiTokenRow.revoked_at.is_(None))
        .values(revoked_at=now)
    )
