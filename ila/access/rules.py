"""Who may do what. Pure: `may(actor, permission, subject)` and the table behind it."""

from dataclasses import dataclass
from enum import StrEnum

from ila.errors import Refused


class Role(StrEnum):
    """In which capacity somebody acts. One token carries one role."""

    CITIZEN = "citizen"
    PROVIDER = "provider"
    ADMINISTRATOR = "administrator"
    AUDITOR = "auditor"


class Permission(StrEnum):
    """What a route or a verb needs. `PUBLIC` needs no token."""

    PUBLIC = "public"
    READ_OWN_ACCOUNT = "read_own_account"  # a citizen: only the account of the token
    READ_ANY_ACCOUNT = "read_any_account"
    READ_RUNS = "read_runs"
    MANAGE_RUNS = "manage_runs"  # open, preview, start, pause, resume, reverse
    APPROVE_RUNS = "approve_runs"  # never one's own
    MANAGE_CITIZENS = "manage_citizens"
    MANAGE_FUNDS = "manage_funds"
    MANAGE_TOKENS = "manage_tokens"
    READ_LEDGER = "read_ledger"
    READ_SCHEMES = "read_schemes"


GRANTS: dict[Role, frozenset[Permission]] = {
    Role.CITIZEN: frozenset({Permission.READ_OWN_ACCOUNT, Permission.READ_SCHEMES}),
    Role.PROVIDER: frozenset({Permission.READ_SCHEMES}),
    Role.ADMINISTRATOR: frozenset(
        {
            Permission.READ_ANY_ACCOUNT,
            Permission.READ_RUNS,
            Permission.MANAGE_RUNS,
            Permission.APPROVE_RUNS,
            Permission.MANAGE_CITIZENS,
            Permission.MANAGE_FUNDS,
            Permission.READ_SCHEMES,
        }
    ),
    Role.AUDITOR: frozenset(
        {Permission.READ_ANY_ACCOUNT, Permission.READ_RUNS, Permission.READ_LEDGER, Permission.READ_SCHEMES}
    ),
}
"""What each role may do. A provider can look up no person, no account and no balance: there is no such permission."""

FOR_PEOPLE_ALONE = frozenset({Permission.APPROVE_RUNS, Permission.MANAGE_TOKENS})
"""What the clock may not do by itself: four eyes are the eyes of people."""

CLOCK_ID = 0
"""`actor_id` of what the clock does by itself."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: a user account (positive id), the clock (0), or a citizen (the negative citizen_id)."""

    actor_id: int
    role: Role | None
    name: str
    citizen_id: int | None = None


CLOCK = Actor(CLOCK_ID, None, "the clock")


class NotAuthenticated(Refused):
    """Nobody is known by this token. The same for every reason: unknown, expired, revoked, role taken back."""

    code = "not_authenticated"

    def __init__(self) -> None:
        super().__init__("The token is not valid (any more); use another, or ask an administrator for a new one.")


class NotAllowed(Refused):
    """The actor's role does not carry the permission, or the thing is not theirs."""

    code = "not_allowed"


def may(actor: Actor, permission: Permission, *, citizen_id: int | None = None) -> bool:
    """Tell whether the actor may do this; for accounts, `citizen_id` says whose."""
    if permission is Permission.PUBLIC:
        return True
    if actor.role is None:
        return actor.actor_id == CLOCK_ID and permission not in FOR_PEOPLE_ALONE
    granted = GRANTS[actor.role]
    if permission is Permission.READ_OWN_ACCOUNT:
        own = actor.role is Role.CITIZEN and citizen_id is not None and citizen_id == actor.citizen_id
        return own or Permission.READ_ANY_ACCOUNT in granted
    return permission in granted


def require(actor: Actor, permission: Permission, *, citizen_id: int | None = None) -> None:
    """Raise `NotAllowed` unless the actor may do this."""
    if not may(actor, permission, citizen_id=citizen_id):
        role = actor.role.value if actor.role else "none"
        raise NotAllowed(
            f"The role {role} may not do this ({permission.value}); use a token of a role that may.",
            permission=permission.value,
            role=role,
        )
