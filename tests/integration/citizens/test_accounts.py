"""The life of an account: opened once, closed, reopened, frozen."""

from datetime import date, timedelta

import pytest

from ila import citizens
from ila.access.rules import Actor, NotAllowed, Role
from ila.citizens.persons import InvalidIdentity
from ila.citizens.rules import ClosingReason
from ila.db.session import WriteSession
from ila.errors import Invalid

from .people import ADMINISTRATOR, CIRCUMSTANCES, KEYS, NOW, OPENED_ON, open_citizen, person

TODAY = NOW.date()
CLOSED_ON = date(2026, 10, 1)


def close(session: WriteSession, citizen_id: int, on: date = CLOSED_ON) -> None:
    citizens.close_account(
        session, ADMINISTRATOR, citizen_id, on=on, reason=ClosingReason.RETIREMENT, today=TODAY, now=NOW
    )


def open_on(session: WriteSession, citizen_id: int, day: date) -> bool:
    return citizens.facts_of(session, citizen_id, day, citizens.KNOWN_NOW).open


def test_a_reference_leads_to_the_account_and_back(session: WriteSession) -> None:
    citizen_id = open_citizen(session)

    reference = citizens.reference_of(session, citizen_id)

    assert citizens.citizen_id_of(session, reference) == citizen_id
    assert str(citizen_id) != reference


@pytest.mark.parametrize("reference", ["", "1", "0" * 26, "'; DROP TABLE citizen", "\x00"])
def test_an_unknown_reference_is_not_found_whatever_it_looks_like(session: WriteSession, reference: str) -> None:
    open_citizen(session)

    with pytest.raises(citizens.NoSuchCitizen, match="No account has this reference"):
        citizens.citizen_id_of(session, reference)


def test_a_person_gets_one_account_however_the_identifier_is_written(session: WriteSession) -> None:
    open_citizen(session, 1)
    same = person(1)
    spaced = type(same)(type(same.identity)("BE", "national_number", " 85 07 30/00001 "), "Other", "Name", "")

    with pytest.raises(citizens.AlreadyHasAccount):
        citizens.open_account(session, ADMINISTRATOR, spaced, CIRCUMSTANCES, keys=KEYS, on=OPENED_ON, now=NOW)


def test_an_identifier_of_another_country_is_another_person(session: WriteSession) -> None:
    citizen_id = open_citizen(session, 1)
    same = person(1)
    foreign = type(same)(type(same.identity)("NL", "national_number", same.identity.identifier), "Wim", "Other")

    other = citizens.open_account(session, ADMINISTRATOR, foreign, CIRCUMSTANCES, keys=KEYS, on=OPENED_ON, now=NOW)

    assert other != citizen_id


def test_an_incomplete_person_is_refused_by_field(session: WriteSession) -> None:
    with pytest.raises(InvalidIdentity, match="The family name must not be empty"):
        citizens.open_account(
            session, ADMINISTRATOR, person(1, family_name=""), CIRCUMSTANCES, keys=KEYS, on=OPENED_ON, now=NOW
        )


def test_a_closed_account_was_open_up_to_the_day_before(session: WriteSession) -> None:
    citizen_id = open_citizen(session)

    close(session, citizen_id)

    account = citizens.account(session, citizen_id)
    assert (account.status.value, account.closed_on) == ("closed", CLOSED_ON)
    assert open_on(session, citizen_id, CLOSED_ON - timedelta(days=1))
    assert not open_on(session, citizen_id, CLOSED_ON)


def test_closing_twice_ahead_of_time_or_an_account_that_is_not_there_is_refused(session: WriteSession) -> None:
    citizen_id = open_citizen(session)
    with pytest.raises(Invalid, match="repeat it then"):
        close(session, citizen_id, TODAY + timedelta(days=1))
    close(session, citizen_id)

    with pytest.raises(citizens.AccountIsClosed, match="has been closed since 2026-10-01"):
        close(session, citizen_id)
    with pytest.raises(citizens.NoSuchCitizen):
        close(session, citizen_id + 1)


def test_a_reopened_account_stays_closed_in_between(session: WriteSession) -> None:
    citizen_id = open_citizen(session)
    close(session, citizen_id)

    citizens.reopen_account(session, ADMINISTRATOR, citizen_id, on=date(2026, 12, 1), now=NOW)

    account = citizens.account(session, citizen_id)
    assert (account.status.value, account.closed_on) == ("open", None)
    assert not open_on(session, citizen_id, date(2026, 11, 30))
    assert open_on(session, citizen_id, date(2026, 12, 1))


def test_reopening_an_open_account_or_before_it_was_closed_is_refused(session: WriteSession) -> None:
    citizen_id = open_citizen(session)
    with pytest.raises(citizens.AccountIsOpen):
        citizens.reopen_account(session, ADMINISTRATOR, citizen_id, on=TODAY, now=NOW)
    close(session, citizen_id)

    with pytest.raises(Invalid, match="reopen it from that day or a later one"):
        citizens.reopen_account(session, ADMINISTRATOR, citizen_id, on=CLOSED_ON - timedelta(days=1), now=NOW)


def test_a_frozen_account_says_so_under_the_lock_until_it_is_unfrozen(session: WriteSession) -> None:
    citizen_id = open_citizen(session)

    citizens.freeze(session, ADMINISTRATOR, citizen_id, now=NOW)
    frozen = citizens.lock(session, citizen_id)
    citizens.unfreeze(session, ADMINISTRATOR, citizen_id, now=NOW)

    assert (frozen.frozen_at, citizens.lock(session, citizen_id).frozen_at) == (NOW, None)


@pytest.mark.parametrize("role", [Role.CITIZEN, Role.PROVIDER, Role.AUDITOR])
def test_only_administrators_change_accounts(session: WriteSession, role: Role) -> None:
    citizen_id = open_citizen(session)
    actor = Actor(9, role, "somebody", citizen_id=citizen_id if role is Role.CITIZEN else None)

    for act in (
        lambda: citizens.freeze(session, actor, citizen_id, now=NOW),
        lambda: citizens.unfreeze(session, actor, citizen_id, now=NOW),
        lambda: citizens.erase_personal_detail(session, actor, citizen_id, now=NOW),
        lambda: citizens.reopen_account(session, actor, citizen_id, on=TODAY, now=NOW),
        lambda: citizens.withdraw_attestation(session, actor, citizen_id, "disabled", on=TODAY, now=NOW),
        lambda: citizens.correct_facts(session, actor, citizen_id, {"income_minor": 1}, valid_from=TODAY, now=NOW),
    ):
        with pytest.raises(NotAllowed):
            act()
