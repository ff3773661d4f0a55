"""Who may do what: people at work, their roles, and the tokens by which they and citizens are known.

Door: `authenticate` and the commands that give and take back. The rules (`may`, `require`) are `ila.access.rules`.
"""

from ila.access.commands import (
    RoleNotHeld,
    UserExists,
    create_user,
    disable_user,
    grant_role,
    issue_token,
    revoke_role,
    revoke_token,
)
from ila.access.queries import (
    ApiToken,
    NoSuchToken,
    NoSuchUser,
    User,
    authenticate,
    tokens,
    user_of_name,
    users,
)
from ila.access.rules import Actor, NotAllowed, NotAuthenticated, Permission, Role, may, require

__all__ = [
    "Actor",
    "ApiToken",
    "NoSuchToken",
    "NoSuchUser",
    "NotAllowed",
    "NotAuthenticated",
    "Permission",
    "Role",
    "RoleNotHeld",
    "User",
    "UserExists",
    "authenticate",
    "create_user",
    "disable_user",
    "grant_role",
    "issue_token",
    "may",
    "require",
    "revoke_role",
    "revoke_token",
    "tokens",
    "user_of_name",
    "users",
]
