"""`may` and `require`: who may do what, decided without a database."""

import itertools

import pytest

from ila.access.rules import CLOCK, GRANTS, Actor, NotAllowed, Permission, Role, may, require

CITIZEN = Actor(-7, Role.CITIZEN, "citizen", 7)
ADMINISTRATOR = Actor(1, Role.ADMINISTRATOR, "anna")
AUDITOR = Actor(2, Role.AUDITOR, "otto")
PROVIDER = Actor(3, Role.PROVIDER, "school")


def test_a_citizen_reads_the_own_account_and_no_other() -> None:
    assert may(CITIZEN, Permission.READ_OWN_ACCOUNT, citizen_id=7)
    assert not may(CITIZEN, Permission.READ_OWN_ACCOUNT, citizen_id=8)
    assert not may(CITIZEN, Permission.READ_OWN_ACCOUNT)
    assert not may(CITIZEN, Permission.READ_ANY_ACCOUNT, citizen_id=7)


@pytest.mark.parametrize("actor", [ADMINISTRATOR, AUDITOR])
def test_staff_read_every_account(actor: Actor) -> None:
    assert may(actor, Permission.READ_OWN_ACCOUNT, citizen_id=7)


def test_a_provider_reads_no_account_and_no_run() -> None:
    assert {permission for permission in Permission if may(PROVIDER, permission, citizen_id=3)} == {
        Permission.PUBLIC,
        Permission.READ_SCHEMES,
    }


def test_an_auditor_changes_nothing() -> None:
    changing = {permission for permission in Permission if permission.name.startswith(("MANAGE", "APPROVE"))}

    assert changing
    assert not changing & GRANTS[Role.AUDITOR]


def test_the_clock_works_but_approves_nothing() -> None:
    assert may(CLOCK, Permission.MANAGE_RUNS)
    assert not may(CLOCK, Permission.APPROVE_RUNS)
    assert not may(CLOCK, Permission.MANAGE_TOKENS)


def test_an_actor_without_role_who_is_not_the_clock_may_do_nothing() -> None:
    nobody = Actor(99, None, "nobody")

    assert [permission for permission in Permission if may(nobody, permission, citizen_id=1)] == [Permission.PUBLIC]


@pytest.mark.parametrize(
    ("actor", "permission"), list(itertools.product([CITIZEN, ADMINISTRATOR, AUDITOR, PROVIDER], Permission))
)
def test_require_refuses_exactly_what_may_denies(actor: Actor, permission: Permission) -> None:
    if may(actor, permission, citizen_id=8):
        require(actor, permission, citizen_id=8)
    else:
        with pytest.raises(NotAllowed, match=permission.value):
            require(actor, permission, citizen_id=8)
