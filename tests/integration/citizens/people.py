"""Persons, facts and actors for the tests of citizens."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

from ila import citizens
from ila.access.rules import Actor, Role
from ila.citizens.identity import IdentityKeys
from ila.citizens.persons import Identity, Person
from ila.citizens.rules import Circumstances, Need, Work
from ila.db.session import WriteSession
from ila.schemes.policy import EmploymentStatus

NOW = datetime(2027, 1, 4, 9, 0, tzinfo=UTC)
OPENED_ON = date(2026, 1, 1)
ADMINISTRATOR = Actor(7, Role.ADMINISTRATOR, "an administrator")
KEYS = IdentityKeys.of(bytes(range(32)), bytes(range(32, 64)))
OTHER_KEYS = IdentityKeys.of(bytes(range(1, 33)), bytes(range(33, 65)))
CIRCUMSTANCES = Circumstances(
    born_on=date(1985, 7, 30),
    resides_here=True,
    works_here=True,
    national=True,
    employment_status=EmploymentStatus.EMPLOYEE,
    qualification_level=4,
    income_minor=2_400_000,
    region="BE10",
)


def person(number: int = 1, **changes: str) -> Person:
    """A person whose identifier tells the number."""
    names = {"given_name": "Wilhelmina", "family_name": "Testperson", "email": "wilhelmina@example.org"}
    return Person(Identity("BE", "national_number", f"85.07.30-{number:05}"), **(names | changes))


def open_citizen(
    session: WriteSession, number: int = 1, *, needs: tuple[Need, ...] = (), work: tuple[Work, ...] = (), **changes: Any
) -> int:
    """Open an account on 1 January 2026 and return the citizen_id."""
    return citizens.open_account(
        session,
        ADMINISTRATOR,
        person(number),
        replace(CIRCUMSTANCES, **changes),
        needs,
        work,
        keys=KEYS,
        on=OPENED_ON,
        now=NOW,
    )
