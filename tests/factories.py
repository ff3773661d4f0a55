"""People, schemes, money and runs for tests, made through the same commands that the platform uses.

People come in bulk: `add_people` writes the facts of many citizens at once and returns their ids.
"""

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from sqlalchemy import insert, text

from ila import allocations, ids, ledger, schemes
from ila.access.rules import Actor, Role
from ila.allocations.rules import RunState
from ila.citizens.models import CitizenFactRow, CitizenRow, FactChangeRow, NeedAttestationRow, WorkRecordRow
from ila.citizens.rules import AccountStatus, EvidenceSource
from ila.db.locks import begin_fact_change
from ila.db.session import WriteSession
from ila.schemes.facts import CitizenFacts, WorkRecord
from ila.schemes.loader import load_scheme
from ila.schemes.parameters import ParameterSet
from ila.schemes.policy import EmploymentStatus, WorkBasis
from tests.conftest import NOW

SCHEME_DIRECTORY = Path(__file__).resolve().parents[1] / "config" / "schemes"
TODAY = NOW.date()

ANNA = Actor(101, Role.ADMINISTRATOR, "anna")
BEN = Actor(102, Role.ADMINISTRATOR, "ben")
OTTO = Actor(103, Role.AUDITOR, "otto")

ADULT = CitizenFacts(
    born_on=date(1985, 7, 30),
    employment_status=EmploymentStatus.EMPLOYEE,
    resides_here=True,
    works_here=True,
    national=True,
    qualification_level=6,
    income_minor=4_000_000,
    region="BE10",
)
"""An employee of 41 with a bachelor's degree and no need: gets the base of `eu_model`."""

_parameters: dict[str, ParameterSet] = {}


def parameters_of(code: str) -> ParameterSet:
    """Return a shipped scheme; each is read from its files once."""
    if code not in _parameters:
        _parameters[code] = load_scheme(SCHEME_DIRECTORY / code)
    return _parameters[code]


def shipped_schemes() -> list[str]:
    """Return the codes of the shipped schemes."""
    return sorted(path.name for path in SCHEME_DIRECTORY.iterdir() if path.is_dir())


def add_people(
    session: WriteSession,
    people: Sequence[CitizenFacts],
    *,
    since: date = date(2000, 1, 1),
    worked_in: int = TODAY.year - 1,
) -> list[int]:
    """Open an account for each of the facts, all of which hold from a day on; work is that of one calendar year."""
    change_no = begin_fact_change(session)
    session.execute(
        insert(FactChangeRow),
        [{"fact_change_no": change_no, "recorded_at": NOW, "actor_id": ANNA.actor_id, "kind": "import"}],
    )
    highest = session.execute(text("SELECT coalesce(max(citizen_id), 0) FROM ila.citizen")).scalar_one()
    citizen_ids = [highest + number for number in range(1, len(people) + 1)]
    accounts = [
        {
            "citizen_id": citizen_id,
            "reference": ids.new_reference(),
            "status": AccountStatus.OPEN if facts.open else AccountStatus.CLOSED,
            "opened_on": since,
            "closed_on": None if facts.open else since,
        }
        for citizen_id, facts in zip(citizen_ids, people, strict=True)
    ]
    circumstances = [
        {
            "citizen_id": citizen_id,
            "recorded_no": change_no,
            "income_minor": facts.income_minor,
            "valid_from": since,
            "born_on": facts.born_on,
            "qualification_level": facts.qualification_level,
            "account_open": facts.open,
            "resides_here": facts.resides_here,
            "works_here": facts.works_here,
            "national": facts.national,
            "employment_status": facts.employment_status,
            "category": facts.category,
            "region": facts.region,
        }
        for citizen_id, facts in zip(citizen_ids, people, strict=True)
    ]
    attested = [
        {
            "citizen_id": citizen_id,
            "criterion": criterion,
            "recorded_no": change_no,
            "valid_from": since,
            "source": EvidenceSource.REGISTER,
        }
        for citizen_id, facts in zip(citizen_ids, people, strict=True)
        for criterion in sorted(facts.attested)
    ]
    work = [
        {
            "citizen_id": citizen_id,
            "job_no": job_no,
            "recorded_no": change_no,
            "valid_from": date(worked_in, 1, 1),
            "valid_until": date(worked_in + 1, 1, 1),
            "basis": record.basis,
            "worked": record.worked,
            "reference": record.reference,
        }
        for citizen_id, facts in zip(citizen_ids, people, strict=True)
        for job_no, record in enumerate(facts.work_records, start=1)
    ]
    for table, rows in (
        (CitizenRow, accounts),
        (CitizenFactRow, circumstances),
        (NeedAttestationRow, attested),
        (WorkRecordRow, work),
    ):
        if rows:
            session.execute(insert(table), rows)
    return citizen_ids


CRITERIA = (
    "low_qualified", "disabled", "unemployed", "long_term_unemployed", "neet", "part_time", "fixed_term", "caregiver",
    "single_parent", "migrant", "low_income", "other_programme", "in_education", "region",
)  # fmt: skip


def random_person(chance: random.Random, criteria: Sequence[str] = CRITERIA, on: date = TODAY) -> CitizenFacts:
    """Return the facts of somebody, with the edges of every rule more often than life has them."""
    age = chance.choice(
        [0, 15, 16, 17, 18, 24, 25, 29, 30, 39, 40, 49, 50, 54, 64, 65, 66, 74, 75, chance.randint(0, 99)]
    )
    born_on = _years_before(on, age) + timedelta(days=chance.choice([-1, 0, 1, chance.randint(-364, 364)]))
    if chance.random() < 0.03:
        born_on = date(chance.choice([1960, 1980, 2000, 2008]), 2, 29)
    records = tuple(
        WorkRecord(
            chance.choice(list(WorkBasis)),
            Decimal(chance.choice([0, 1, 40, 643, 803, 1607, 1820, chance.randint(0, 2000)]))
            / chance.choice([1, 1, 2, 10]),
            chance.choice([None, None, Decimal(1607), Decimal(100), Decimal("151.67")]),
        )
        for _ in range(chance.choice([0, 1, 1, 1, 2, 3]))
    )
    return CitizenFacts(
        born_on=min(born_on, on),
        employment_status=chance.choice(list(EmploymentStatus)),
        resides_here=chance.random() < 0.85,
        works_here=chance.random() < 0.7,
        national=chance.random() < 0.8,
        qualification_level=chance.choice([None, 0, 1, 2, 3, 4, 5, 6, 7, 8]),
        income_minor=chance.choice(
            [None, 0, 999_999, 1_000_000, 1_500_000, 1_999_999, 2_250_001, 3_000_000, chance.randint(0, 15_000_000)]
        ),
        category=chance.choice([None, "A", "B", "C"]),
        region=chance.choice([None, "BE10", "BE21", "CZ04", "FRY1", "LT02"]),
        attested=frozenset(criterion for criterion in criteria if chance.random() < 0.15),
        work_records=records,
        open=chance.random() < 0.95,
    )


def _years_before(on: date, years: int) -> date:
    return replace_year(on, on.year - years)


def replace_year(day: date, year: int) -> date:
    """Return the same day of another year; 29 February becomes the 28th in a common one."""
    try:
        return day.replace(year=year)
    except ValueError:
        return day.replace(year=year, day=28)


def with_needs(*criteria: str, **changes: object) -> CitizenFacts:
    """Return `ADULT` with attested needs and other changes."""
    return replace(ADULT, attested=frozenset(criteria), **changes)  # type: ignore[arg-type]


def registered(session: WriteSession, code: str, *, money_minor: int = 10**12) -> ParameterSet:
    """Register a shipped scheme and give every limited fund of it so much money."""
    parameters = parameters_of(code)
    scheme = schemes.register_parameter_set(session, parameters, now=NOW)
    for fund in schemes.funds_of(session, scheme.scheme_id):
        if fund.limited and money_minor:
            appropriated(session, scheme, fund, parameters, money_minor, "finance act 2027")
    return parameters


def appropriated(
    session: WriteSession,
    scheme: schemes.Scheme,
    fund: schemes.Fund,
    parameters: ParameterSet,
    amount_minor: int,
    reference: str,
) -> None:
    """Give a fund money from outside."""
    ledger.appropriate(
        session,
        actor_id=ANNA.actor_id,
        fund_id=fund.fund_id,
        scheme_id=scheme.scheme_id,
        amount_minor=amount_minor,
        reference=reference,
        effective_on=TODAY,
        parameter_digest=parameters.digest,
        now=NOW,
    )


def previewed_run(
    session: WriteSession,
    parameters: ParameterSet,
    *,
    credit_code: str = "yearly",
    period: str = "2027",
    today: date = TODAY,
    reference_on: date | None = None,
    effective_on: date | None = None,
) -> int:
    """Open a run in Anna's name and preview it."""
    run_id = allocations.open_run(
        session,
        ANNA,
        parameters,
        credit_code=credit_code,
        period=period,
        fund_code=parameters.funds[0].code,
        now=NOW,
        today=today,
        reference_on=reference_on,
        effective_on=effective_on,
    )
    allocations.preview(session, ANNA, run_id, facts_no=allocations.pin_facts(session), now=NOW)
    return run_id


def approve_and_start(session: WriteSession, run_id: int, *, slice_citizens: int = 1000) -> None:
    """Let Ben approve the plan that was previewed, and Anna start it once its day has come."""
    run = allocations.run_view(session, run_id)
    assert run.plan_digest is not None
    allocations.approve(session, BEN, run_id, run.plan_digest, now=NOW)
    today = max(TODAY, run.effective_on)
    facts_no = allocations.pin_facts(session)
    allocations.start(session, ANNA, run_id, facts_no=facts_no, slice_citizens=slice_citizens, now=NOW, today=today)


def work_through(session: WriteSession, run_id: int, *, now: datetime = NOW, today: date = TODAY) -> allocations.Run:
    """Post every slice of a running run and close it."""
    while allocations.work_on_slice(session, run_id, now=now, today=today) is not None:
        pass
    state = allocations.close_run(session, run_id, now=now)
    assert state is RunState.FINISHED, allocations.run_view(session, run_id).failure
    session.flush()
    session.expire_all()
    return allocations.run_view(session, run_id)


def finished_run(
    session: WriteSession,
    parameters: ParameterSet,
    *,
    slice_citizens: int = 1000,
    credit_code: str = "yearly",
    period: str = "2027",
    on: date | None = None,
) -> int:
    """Open, preview, approve, start and work through a run, on a day of its own if one is given; return its number."""
    run_id = previewed_run(
        session, parameters, credit_code=credit_code, period=period, reference_on=on, effective_on=on
    )
    approve_and_start(session, run_id, slice_citizens=slice_citizens)
    work_through(session, run_id)
    return run_id
