"""Tokens: stored as a hash, and dead at once when anything behind them is taken back."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from ila import access
from ila.access import Actor, NotAuthenticated, Role, User
from ila.db.errors import Fault, fault_of
from ila.db.session import WriteSession
from ila.errors import Conflict, Invalid, Refused
from tests.conftest import NOW, Database

LATER = NOW + timedelta(days=30)


@pytest.fixture
def anna(session: WriteSession) -> User:
    user = access.create_user(session, "anna", NOW)
    access.grant_role(session, user, Role.ADMINISTRATOR, NOW)
    return user


def token_of(session: WriteSession, user: User, role: Role = Role.ADMINISTRATOR) -> str:
    return access.issue_token(session, role=role, user=user, label="tests", expires_at=LATER, now=NOW)


def test_a_token_tells_who_holds_it(session: WriteSession, anna: User) -> None:
    assert access.authenticate(session, token_of(session, anna), now=NOW) == Actor(
        anna.user_account_id, Role.ADMINISTRATOR, "anna"
    )


def test_a_citizens_token_is_bound_to_one_account(session: WriteSession) -> None:
    token = access.issue_token(session, role=Role.CITIZEN, citizen_id=41, label="tests", expires_at=LATER, now=NOW)

    assert access.authenticate(session, token, now=NOW) == Actor(-41, Role.CITIZEN, "citizen", 41)


def test_no_text_of_a_token_is_stored(session: WriteSession, anna: User) -> None:
    token = token_of(session, anna)

    stored = session.scalars(text("SELECT t::text FROM ila.api_token t")).all()

    assert len(stored) == 1
    assert token not in stored[0] and token.removeprefix("ila_") not in stored[0]


def test_two_tokens_are_never_the_same(session: WriteSession, anna: User) -> None:
    assert len({token_of(session, anna) for _ in range(50)}) == 50


def revoke_the_token(session: WriteSession, token: str) -> None:
    access.revoke_token(session, access.tokens(session, token_text=token)[0].api_token_id, NOW)


def disable_the_user(session: WriteSession, token: str) -> None:
    access.disable_user(session, "anna", NOW)


def take_the_role_back(session: WriteSession, token: str) -> None:
    access.revoke_role(session, access.user_of_name(session, "anna"), Role.ADMINISTRATOR, NOW)


@pytest.mark.parametrize("take_back", [revoke_the_token, disable_the_user, take_the_role_back])
def test_what_is_taken_back_ends_at_once(
    session: WriteSession, anna: User, take_back: Callable[[WriteSession, str], None]
) -> None:
    token = token_of(session, anna)
    access.authenticate(session, token, now=NOW)

    take_back(session, token)

    with pytest.raises(NotAuthenticated):
        access.authenticate(session, token, now=NOW)


def test_a_role_granted_again_is_a_role_again(session: WriteSession, anna: User) -> None:
    token = token_of(session, anna)
    access.revoke_role(session, anna, Role.ADMINISTRATOR, NOW)
    access.grant_role(session, anna, Role.ADMINISTRATOR, NOW)

    assert access.authenticate(session, token, now=NOW).name == "anna"


def test_a_token_is_dead_in_the_second_it_expires(session: WriteSession, anna: User) -> None:
    token = token_of(session, anna)

    access.authenticate(session, token, now=LATER - timedelta(seconds=1))
    with pytest.raises(NotAuthenticated):
        access.authenticate(session, token, now=LATER)


@pytest.mark.parametrize("wrong", ["", "ila_", "ila_" + "x" * 43, "x" * 47, "ila_" + "é" * 43, "'; --"])
def test_every_unknown_token_is_refused_with_the_same_words(session: WriteSession, anna: User, wrong: str) -> None:
    token = token_of(session, anna)
    revoke_the_token(session, token)

    said = []
    for text_ in (wrong, token):
        with pytest.raises(NotAuthenticated) as refusal:
            access.authenticate(session, text_, now=NOW)
        said.append((refusal.value.message, refusal.value.code, refusal.value.facts))

    assert said[0] == said[1]


def test_a_token_carries_no_role_that_its_holder_lacks(session: WriteSession, anna: User) -> None:
    with pytest.raises(access.RoleNotHeld, match="auditor"):
        token_of(session, anna, Role.AUDITOR)


def test_a_disabled_user_gets_no_token(session: WriteSession, anna: User) -> None:
    access.disable_user(session, "anna", NOW)

    with pytest.raises(access.RoleNotHeld):
        token_of(session, anna)


@pytest.mark.parametrize("role", [Role.CITIZEN, Role.AUDITOR])
def test_a_token_belongs_to_a_user_or_to_an_account(session: WriteSession, anna: User, role: Role) -> None:
    holder = {"user": anna} if role is Role.CITIZEN else {"citizen_id": 3}

    with pytest.raises(Invalid):
        access.issue_token(session, role=role, label="tests", expires_at=LATER, now=NOW, **holder)


def test_a_token_that_has_expired_already_is_not_issued(session: WriteSession, anna: User) -> None:
    with pytest.raises(Invalid, match="later day"):
        access.issue_token(session, role=Role.ADMINISTRATOR, user=anna, label="tests", expires_at=NOW, now=NOW)


def test_a_name_belongs_to_one_user(session: WriteSession, anna: User) -> None:
    with pytest.raises(Conflict, match="exists already"):
        access.create_user(session, "anna", NOW)


@pytest.mark.parametrize("name", ["", "A", "Anna", "a", "1anna", "anna lind", "a" * 65])
def test_a_name_that_cannot_be_one_is_refused(session: WriteSession, name: str) -> None:
    with pytest.raises(Invalid, match="cannot be a user's name"):
        access.create_user(session, name, NOW)


def test_the_role_of_a_citizen_is_granted_to_no_user(session: WriteSession, anna: User) -> None:
    with pytest.raises(Refused, match="account"):
        access.grant_role(session, anna, Role.CITIZEN, NOW)


def test_a_role_granted_twice_is_held_once(session: WriteSession, anna: User) -> None:
    access.grant_role(session, anna, Role.ADMINISTRATOR, NOW)

    assert access.user_of_name(session, "anna").roles == (Role.ADMINISTRATOR,)
    assert session.scalar(text("SELECT count(*) FROM ila.role_grant")) == 1


@pytest.mark.parametrize(
    "statement",
    [
        (
            "INSERT INTO ila.api_token (token_sha256, role, citizen_id, label, created_at, expires_at)"
            " VALUES (sha256('a'), 'auditor', 1, 'x', now(), now() + '1 day')"
        ),
        (
            "INSERT INTO ila.api_token (token_sha256, role, label, created_at, expires_at)"
            " VALUES (sha256('a'), 'citizen', 'x', now(), now() + '1 day')"
        ),
        (
            "INSERT INTO ila.api_token (token_sha256, role, citizen_id, label, created_at, expires_at)"
            " VALUES ('short', 'citizen', 1, 'x', now(), now() + '1 day')"
        ),
        (
            "INSERT INTO ila.api_token (token_sha256, role, citizen_id, label, created_at, expires_at)"
            " VALUES (sha256('a'), 'citizen', 1, 'x', now(), now())"
        ),
        (
            "INSERT INTO ila.role_grant (user_account_id, role, granted_at)"
            " SELECT user_account_id, 'citizen', now() FROM ila.user_account"
        ),
    ],
)
def test_the_database_refuses_holders_and_hashes_that_cannot_be(
    session: WriteSession, anna: User, statement: str
) -> None:
    with pytest.raises(DBAPIError) as refusal:
        session.execute(text(statement))

    assert fault_of(refusal.value) is Fault.BROKEN


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM ila.api_token",
        "UPDATE ila.api_token SET expires_at = '9999-12-31'",
        "UPDATE ila.api_token SET role = 'administrator'",
        "DELETE FROM ila.role_grant",
        "UPDATE ila.role_grant SET role = 'administrator'",
        "UPDATE ila.user_account SET name = 'other'",
    ],
)
@pytest.mark.parametrize("role", ["ila_app", "ila_job"])
def test_no_edge_can_lengthen_widen_or_remove_a_right(database: Database, role: str, statement: str) -> None:
    with pytest.raises(DBAPIError) as refusal, database.sessions(role).begin() as session:
        session.execute(text(statement))

    assert fault_of(refusal.value) is Fault.FORBIDDEN
