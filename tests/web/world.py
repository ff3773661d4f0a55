"""A small world for the tests of the web: people with entitlements of several years, staff, and a token for each."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from ila import access, citizens, ledger, settings
from ila.access.rules import Actor, Role
from ila.app import create_app
from ila.db.session import WriteSession
from ila.ledger.chart import AccountKind, EntryKind
from ila.ledger.rules import Account, Draw, JournalEntry, Transfer
from tests.conftest import NOW, Database
from tests.factories import ADULT, TODAY, add_people, finished_run, registered, with_needs

LATER = NOW + timedelta(days=30)
STAFF = {"anna": Role.ADMINISTRATOR, "ben": Role.ADMINISTRATOR, "otto": Role.AUDITOR, "school": Role.PROVIDER}


@dataclass(frozen=True, slots=True)
class World:
    """The application, whose tokens it knows, and whose accounts there are: `needy` and `plain`, citizens 1 and 2."""

    app: Flask
    database: Database
    tokens: dict[str, str]
    accounts: dict[str, str]
    runs: tuple[int, ...]

    def client(self) -> FlaskClient:
        return self.app.test_client()

    def get(self, who: str | None, path: str, **headers: str) -> TestResponse:
        """Ask the API in somebody's name."""
        return self.client().get(path, headers=self._authorized(who) | headers)

    def post(self, who: str | None, path: str, body: Any = None, *, key: str | None = None) -> TestResponse:
        """Act through the API in somebody's name, under a key."""
        headers = self._authorized(who) | ({"Idempotency-Key": key} if key else {})
        return self.client().post(path, json=body, headers=headers)

    def browser(self, who: str | None) -> FlaskClient:
        """A browser in which somebody is signed in."""
        client = self.client()
        if who is not None:
            client.set_cookie("ila", self.tokens[who])
        return client

    def _authorized(self, who: str | None) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.tokens[who]}"} if who else {}


def application(url: str) -> Flask:
    """The application on a database."""
    return create_app(
        settings.load(
            {"ILA_ENV": "test", "ILA_DATABASE_URL": url, "ILA_SECRET_KEYS": "a key of tests that nobody else uses here"}
        )
    )


def people_and_staff(session: WriteSession) -> tuple[dict[str, str], dict[str, str]]:
    """Open accounts and issue tokens; returns both by name."""
    names = ("needy", "plain", "newcomer")
    facts = [with_needs("caregiver", qualification_level=2), ADULT, ADULT]
    ids = dict(zip(names, add_people(session, facts[:2]), strict=False))
    ids["newcomer"] = add_people(session, facts[2:], since=date(2027, 1, 3))[0]
    tokens = {}
    for name, role in STAFF.items():
        user = access.create_user(session, name, NOW)
        access.grant_role(session, user, role, NOW)
        tokens[name] = access.issue_token(session, role=role, user=user, label="tests", expires_at=LATER, now=NOW)
    for name, citizen_id in ids.items():
        tokens[name] = access.issue_token(
            session, role=Role.CITIZEN, citizen_id=citizen_id, label="tests", expires_at=LATER, now=NOW
        )
    return tokens, {name: citizens.reference_of(session, citizen_id) for name, citizen_id in ids.items()}


def credited_years(session: WriteSession) -> tuple[int, ...]:
    """Credit three years of `eu_model` and the hours of the public service's scheme."""
    model = registered(session, "eu_model")
    return tuple(finished_run(session, model, period=period) for period in ("2025", "2026", "2027"))


def reserved(session: WriteSession, citizen_id: int, run_id: int, amount_minor: int, redemption_id: int) -> None:
    """Reserve a part of an entitlement for a training, as a redemption does."""
    held = next(each for each in ledger.entitlements_of(session, citizen_id) if each.allocation_run_id == run_id)
    ledger.draw(session, citizen_id, [Draw(run_id, amount_minor)])
    digest = registered(session, "eu_model", money_minor=0).digest
    ledger.post(
        session,
        JournalEntry(
            citizen_id=citizen_id,
            kind=EntryKind.RESERVE,
            source_id=redemption_id,
            step=0,
            scheme_id=held.scheme_id,
            effective_on=TODAY,
            parameter_digest=digest,
            actor_id=Actor(-citizen_id, Role.CITIZEN, "citizen", citizen_id).actor_id,
            transfers=(
                Transfer(
                    Account(AccountKind.ENTITLEMENT, run_id), Account(AccountKind.RESERVED, redemption_id), amount_minor
                ),
            ),
        ),
        now=NOW,
        period=TODAY.year,
    )


def built_world(database: Database, *, credited: bool = True) -> World:
    """Fill a database and return the world on it."""
    with database.sessions().begin() as session:
        tokens, accounts = people_and_staff(session)
        if not credited:
            registered(session, "eu_model")
            return World(application(database.url("ila_app")), database, tokens, accounts, ())
        runs = credited_years(session)
        needy = citizens.citizen_id_of(session, accounts["needy"])
        for number, amount_minor in enumerate((12_000, 2_500), start=1):
            reserved(session, needy, runs[0], amount_minor, number)
    return World(application(database.url("ila_app")), database, tokens, accounts, runs)
