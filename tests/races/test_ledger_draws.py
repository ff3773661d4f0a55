"""Many hands on one account: exactly what is there is given away, and nobody is told "not enough" falsely."""

import random
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from functools import partial
from typing import TypeVar

import pytest
from sqlalchemy import text

from ila import ledger
from ila.db.retry import attempt
from ila.db.session import WriteSession
from ila.errors import DomainError
from ila.ledger import checks
from ila.ledger.chart import AccountKind, EntryKind
from ila.ledger.rules import Account, Draw, InsufficientEntitlement, JournalEntry, Transfer, draws
from tests.integration.ledger.conftest import (
    ANNA,
    BEN,
    DIGEST,
    EMPLOYER,
    EURO,
    NOW,
    STATE,
    TODAY,
    Books,
    plant_world,
)

Given = TypeVar("Given")

HANDS = 20
"""Connections that work at the same time."""


@pytest.fixture
def sessions(database):
    with database.sessions("postgres").begin() as session:
        plant_world(session)
    return database.sessions("ila_job")


def spend(session: WriteSession, citizen_id: int, amount_minor: int, source_id: int) -> int:
    """Take money out of an account as a redemption will: lock, decide, post, draw; in one transaction."""
    ledger.mint_ids(session, 1, year=2027)
    wanted = draws(amount_minor, ledger.lock_entitlements(session, citizen_id, scheme_id=EURO, on=TODAY))
    entry = JournalEntry(
        citizen_id,
        EntryKind.CLOSING,
        source_id,
        0,
        EURO,
        TODAY,
        DIGEST,
        1,
        tuple(
            Transfer(
                Account(AccountKind.ENTITLEMENT, each.allocation_run_id),
                Account(AccountKind.EXPIRED, STATE),
                each.amount_minor,
            )
            for each in wanted
        ),
    )
    entry_id = ledger.post(session, entry, now=NOW, period=2027)
    ledger.draw(session, citizen_id, wanted)
    return entry_id


def together(works: Sequence[Callable[[], Given]]) -> list[Given | DomainError]:
    """Run all works in `HANDS` threads that begin at once; return what each gave or the refusal it raised."""
    gate = threading.Barrier(HANDS)
    begun = threading.local()

    def run(work: Callable[[], Given]) -> Given | DomainError:
        if not getattr(begun, "once", False):
            begun.once = True
            gate.wait(timeout=30)
        try:
            return work()
        except DomainError as error:
            return error

    with ThreadPoolExecutor(HANDS) as pool:
        return list(pool.map(run, works))


def test_of_200_draws_on_the_last_amount_one_wins_and_199_are_refused_cleanly(sessions):
    with sessions.begin() as session:
        Books(session).credit((ANNA, 5_000))

    def draw_everything(number: int) -> int:
        return attempt(sessions, lambda session: spend(session, ANNA, 5_000, number))

    results = together([partial(draw_everything, number) for number in range(200)])

    kinds = Counter(type(result).__name__ for result in results)
    assert kinds == {"int": 1, "InsufficientEntitlement": 199}
    refusals = [result for result in results if isinstance(result, InsufficientEntitlement)]
    assert {refusal.facts["available_minor"] for refusal in refusals} == {0}
    with sessions() as session:
        booked = session.execute(text("SELECT count(*) FROM ila.transfer WHERE debit_kind = 3")).scalar_one()
        assert booked == 1


def test_random_draws_on_several_entitlements_neither_deadlock_nor_lose_a_cent(sessions):
    chance = random.Random(7)
    with sessions.begin() as session:
        books = Books(session)
        for month in (5, 1, 9):
            books.credit((ANNA, 10_000), (BEN, 10_000), expires_on=date(2028, month, 1))
    asked = [(chance.choice((ANNA, BEN)), chance.randint(1, 600), number) for number in range(200)]

    def take(citizen_id: int, amount_minor: int, number: int) -> int:
        with sessions.begin() as session:
            spend(session, citizen_id, amount_minor, number)
        return amount_minor

    results = together([partial(take, *one) for one in asked])

    assert {type(result) for result in results} <= {int, InsufficientEntitlement}
    spent = sum(result for result in results if isinstance(result, int))
    with sessions() as session:
        left = session.execute(text("SELECT sum(available_minor) FROM ila.entitlement")).scalar_one()
        assert spent + left == 60_000
        found = [result.name for result in checks.run(session, checks.PASSES) if not result.clean]
        assert found == []


def test_draws_and_returns_at_once_end_where_they_began(sessions):
    with sessions.begin() as session:
        run_id = Books(session).credit((ANNA, 1_000))

    def there_and_back() -> bool:
        with sessions.begin() as session:
            wanted = draws(100, ledger.lock_entitlements(session, ANNA, scheme_id=EURO, on=TODAY))
            ledger.draw(session, ANNA, wanted)
        with sessions.begin() as session:
            ledger.restore(session, ANNA, wanted)
        return True

    results = together([there_and_back] * 100)

    assert all(result is True or isinstance(result, InsufficientEntitlement) for result in results)
    with sessions() as session:
        assert Books(session).available(ANNA, run_id) == 1_000


def test_a_sweep_among_draws_dated_yesterday_takes_exactly_what_they_leave(sessions):
    """Stragglers still hold yesterday's date, and the entitlement granted first is the one that expires last."""
    with sessions.begin() as session:
        books = Books(session)
        for month in (9, 5, 1):
            books.credit((ANNA, 10_000), (BEN, 10_000), expires_on=date(2028, month, 1))
        entry_ids = ledger.mint_ids(session, HANDS, year=2027)

    def take(citizen_id: int, number: int) -> int:
        with sessions.begin() as session:
            spend(session, citizen_id, 900, number)
        return 900

    def sweep(number: int) -> int:
        with sessions.begin() as session:
            return ledger.expire(
                session,
                run_id=77,
                slice_no=number,
                journal_entry_id=entry_ids[number],
                scheme_id=EURO,
                first_citizen_id=1,
                last_citizen_id=1_000,
                before=date(2028, 6, 1),
                effective_on=date(2028, 6, 1),
                period=2027,
                parameter_digest=DIGEST,
                now=NOW,
            ).amount_minor

    works = [partial(take, 1 + number % 2, number) for number in range(60)]
    for place, number in ((5, 1), (20, 2), (40, 3)):
        works.insert(place, partial(sweep, number))
    results = together(works)

    gone = sum(result for result in results if isinstance(result, int))
    assert {type(result) for result in results} <= {int, InsufficientEntitlement}
    with sessions() as session:
        left = session.execute(text("SELECT sum(available_minor) FROM ila.entitlement")).scalar_one()
        assert gone + left == 60_000
        assert not ledger.any_expired(session, EURO, before=date(2028, 6, 1))
        assert [result.name for result in checks.run(session, checks.PASSES) if not result.clean] == []


def test_an_event_posted_by_everybody_at_once_is_booked_once(sessions):
    with sessions.begin() as session:
        run_id = Books(session).credit((ANNA, 5_000))

    def book() -> int:
        with sessions.begin() as session:
            entry = JournalEntry(
                ANNA,
                EntryKind.CLOSING,
                1,
                0,
                EURO,
                TODAY,
                DIGEST,
                1,
                (Transfer(Account(AccountKind.ENTITLEMENT, run_id), Account(AccountKind.FUND, STATE), 100),),
            )
            entry_id = ledger.post(session, entry, now=NOW, period=2027)
            ledger.draw(session, ANNA, [Draw(run_id, 100)])
            return entry_id

    results = together([book] * 60)

    booked = [result for result in results if isinstance(result, int)]
    refused = [result for result in results if isinstance(result, ledger.AlreadyBooked)]
    assert (len(booked), len(refused)) == (1, 59)
    assert {refusal.facts["journal_entry_id"] for refusal in refused} == set(booked)
    with sessions() as session:
        assert Books(session).available(ANNA, run_id) == 4_900


def test_one_slice_taken_by_everybody_at_once_is_credited_once(sessions):
    with sessions.begin() as session:
        run_id, entry_id = ledger.mint_ids(session, 2, year=2027)
        Books(session).appropriate(EMPLOYER, 1_000)

    def credit() -> ledger.Credited:
        with sessions.begin() as session:
            books = Books(session)
            books.credit((ANNA, 100), (BEN, 200), fund_id=EMPLOYER, run_id=run_id, journal_entry_id=entry_id)
            return books.credited

    results = together([credit] * 40)

    assert Counter(results) == {
        ledger.Credited(2, 300, already_booked=False): 1,
        ledger.Credited(2, 300, already_booked=True): 39,
    }
    with sessions() as session:
        assert ledger.fund_available(session, EMPLOYER) == 700


def test_a_limited_fund_wanted_by_everybody_gives_exactly_what_it_holds(sessions):
    with sessions.begin() as session:
        Books(session).appropriate(EMPLOYER, 1_000)

    def take() -> int:
        with sessions.begin() as session:
            ledger.take_from_fund(session, EMPLOYER, 150)
            return 150

    results = together([take] * 100)

    kinds = Counter(type(result).__name__ for result in results)
    assert kinds == {"int": 6, "InsufficientFund": 94}
    with sessions() as session:
        assert ledger.fund_available(session, EMPLOYER) == 100


def test_appropriations_under_one_reference_add_up_to_one(sessions):
    def give() -> int:
        with sessions.begin() as session:
            return Books(session).appropriate(EMPLOYER, 1_000)

    results = together([give] * 40)

    assert len(set(results)) == 1
    with sessions() as session:
        assert ledger.fund_available(session, EMPLOYER) == 1_000


def test_an_entry_reversed_by_everybody_at_once_is_reversed_once(sessions):
    from tests.integration.ledger.test_moving import booking

    with sessions.begin() as session:
        run_id = Books(session).credit((ANNA, 100))
        closed = ledger.close_account(session, ANNA, scheme_id=EURO, closing_id=1, to_fund=True, booking=booking())

    def reverse() -> int:
        with sessions.begin() as session:
            return ledger.reverse(
                session, ANNA, closed.journal_entry_id, effective_on=TODAY, actor_id=1, now=NOW, period=2027
            )

    results = together([reverse] * 40)

    assert Counter(type(result).__name__ for result in results) == {"int": 1, "AlreadyBooked": 39}
    with sessions() as session:
        assert Books(session).available(ANNA, run_id) == 100


def test_ids_minted_by_everybody_at_once_are_all_different(sessions):
    def mint() -> list[int]:
        with sessions.begin() as session:
            return ledger.mint_ids(session, 50, year=2042)

    blocks = together([mint] * 40)

    assert len({entry_id for block in blocks if isinstance(block, list) for entry_id in block}) == 2_000
