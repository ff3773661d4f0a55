"""`ila tokens`: people who work with the platform, their roles, and tokens. Whoever reaches the database may run it."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import click

from ila import clock
from ila.access.rules import CLOCK, Role
from ila.cli import output
from ila.cli.context import json_option, open_context
from ila.errors import Invalid

if TYPE_CHECKING:
    from ila.access import User

LONGEST_DAYS = 366
DEFAULT_DAYS = 90
ROLES_OF_PEOPLE = [role.value for role in Role if role is not Role.CITIZEN]
role_of_people = click.Choice(ROLES_OF_PEOPLE)


@click.group()
def commands() -> None:
    """Create, list and revoke tokens of the API and the command line."""


@commands.command("create", epilog="Example: ila tokens create --role auditor --user d.lind --label 'audit of 2027'")
@click.option("--role", type=click.Choice([role.value for role in Role]), required=True)
@click.option("--user", "user_name", help="Who holds the token; for every role but citizen.")
@click.option("--account", "reference", help="Reference of the one account a citizen's token reads.")
@click.option("--label", required=True, help="What the token is for, in a few words.")
@click.option("--days", type=click.IntRange(1, LONGEST_DAYS), default=DEFAULT_DAYS, show_default=True)
@json_option
def create(role: str, user_name: str | None, reference: str | None, label: str, days: int, as_json: bool) -> None:
    """Create a token and show it, this once. Only its hash is kept: who loses it needs another."""
    from ila import access, audit, citizens

    now = clock.now()
    with open_context("job") as context, context.sessions.begin() as session:
        token = access.issue_token(
            session,
            role=Role(role),
            user=access.user_of_name(session, user_name) if user_name else None,
            citizen_id=citizens.citizen_id_of(session, reference) if reference else None,
            label=label,
            expires_at=now + timedelta(days=days),
            now=now,
        )
        stored = access.tokens(session, token_text=token)[0]
        audit.record(session, CLOCK, "api_token.issued", "api_token", stored.api_token_id, now=now, role=role)
    shown = {"token": token, "id": stored.api_token_id, "role": role, "expires_at": stored.expires_at}

    def render() -> None:
        output.say(token)
        output.warn(
            f"token {stored.api_token_id} with the role {role}, good until {stored.expires_at:%d %B %Y}; "
            "keep it secret, it is not shown again"
        )

    output.emit(shown, as_json, render)


@commands.command("list", epilog="Example: ila tokens list")
@json_option
def list_tokens(as_json: bool) -> None:
    """List the tokens: who holds them and until when, never their text."""
    from ila import access

    with open_context("job") as context, context.read_sessions() as session:
        found = access.tokens(session)
    now = clock.now()

    def render() -> None:
        output.table(
            ["id", "role", "holder", "label", "expires", "state"],
            [
                [
                    str(token.api_token_id),
                    token.role.value,
                    token.holder or "an account",
                    token.label,
                    f"{token.expires_at:%Y-%m-%d}",
                    _state(token.expires_at, token.revoked_at, now),
                ]
                for token in found
            ],
        )

    output.emit(found, as_json, render)


def _state(expires_at: datetime, revoked_at: datetime | None, now: datetime) -> str:
    if revoked_at:
        return f"revoked {revoked_at.astimezone(UTC):%Y-%m-%d}"
    return "expired" if expires_at <= now else "valid"


@commands.command("revoke", epilog="Example: ila tokens revoke 12")
@click.argument("token_id", type=click.IntRange(1))
@json_option
def revoke(token_id: int, as_json: bool) -> None:
    """Revoke a token by its number; the next request with it is refused."""
    from ila import access, audit

    now = clock.now()
    with open_context("job") as context, context.sessions.begin() as session:
        access.revoke_token(session, token_id, now)
        audit.record(session, CLOCK, "api_token.revoked", "api_token", token_id, now=now)
    output.emit({"id": token_id, "revoked_at": now}, as_json, lambda: output.say(f"Token {token_id} is revoked."))


@commands.group("user")
def user_commands() -> None:
    """People who work with the platform, and their roles."""


@user_commands.command("add", epilog="Example: ila tokens user add d.lind --role auditor")
@click.argument("name")
@click.option("--role", "roles", type=role_of_people, multiple=True, help="Grant this role too; may be repeated.")
@json_option
def add_user(name: str, roles: tuple[str, ...], as_json: bool) -> None:
    """Open a user account for one person. Two accounts of one person would undo the four eyes."""
    from ila import access, audit

    now = clock.now()
    with open_context("job") as context, context.sessions.begin() as session:
        user = access.create_user(session, name, now)
        for role in roles:
            access.grant_role(session, user, Role(role), now)
        audit.record(
            session, CLOCK, "user_account.opened", "user_account", user.user_account_id, now=now, roles=list(roles)
        )
        user = access.user_of_name(session, name)
    output.emit(user, as_json, lambda: output.say(_sentence(user)))


@user_commands.command("list", epilog="Example: ila tokens user list")
@json_option
def list_users(as_json: bool) -> None:
    """List the user accounts with the roles they hold now."""
    from ila import access

    with open_context("job") as context, context.read_sessions() as session:
        found = access.users(session)

    def render() -> None:
        output.table(
            ["user", "roles", "state"],
            [[user.name, ", ".join(user.roles), "disabled" if user.disabled_at else "open"] for user in found],
        )

    output.emit(found, as_json, render)


@user_commands.command("grant", epilog="Example: ila tokens user grant d.lind --role administrator")
@click.argument("name")
@click.option("--role", type=role_of_people, required=True)
@json_option
def grant(name: str, role: str, as_json: bool) -> None:
    """Grant a role to a person."""
    _change_role(name, Role(role), granted=True, as_json=as_json)


@user_commands.command("withdraw", epilog="Example: ila tokens user withdraw d.lind --role administrator")
@click.argument("name")
@click.option("--role", type=role_of_people, required=True)
@json_option
def withdraw(name: str, role: str, as_json: bool) -> None:
    """Take a role back; tokens that carry it stop working with the next request."""
    _change_role(name, Role(role), granted=False, as_json=as_json)


def _change_role(name: str, role: Role, *, granted: bool, as_json: bool) -> None:
    from ila import access, audit

    now = clock.now()
    with open_context("job") as context, context.sessions.begin() as session:
        user = access.user_of_name(session, name)
        if granted and user.disabled_at:
            raise Invalid(f"The account of {name} is disabled; open another one for this person.", name=name)
        change, act = (access.grant_role, "granted") if granted else (access.revoke_role, "revoked")
        change(session, user, role, now)
        audit.record(
            session, CLOCK, f"role_grant.{act}", "user_account", user.user_account_id, now=now, role=role.value
        )
        user = access.user_of_name(session, name)
    output.emit(user, as_json, lambda: output.say(_sentence(user)))


@user_commands.command("disable", epilog="Example: ila tokens user disable d.lind")
@click.argument("name")
@json_option
def disable(name: str, as_json: bool) -> None:
    """Close a user account: all its tokens stop working with the next request."""
    from ila import access, audit

    now = clock.now()
    with open_context("job") as context, context.sessions.begin() as session:
        user = access.disable_user(session, name, now)
        audit.record(session, CLOCK, "user_account.disabled", "user_account", user.user_account_id, now=now)
    output.emit(user, as_json, lambda: output.say(_sentence(user)))


def _sentence(user: "User") -> str:
    if user.disabled_at:
        return f"{user.name} is disabled."
    return f"{user.name} holds {', '.join(user.roles) if user.roles else 'no role yet'}."
