"""The selects that runs join: one row per citizen, by stretches of ids, as known at a change."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Select
from sqlalchemy.orm import Session

from ila import citizens
from ila.citizens.rules import EvidenceSource, Need, Work
from ila.db import locks
from ila.db.session import WriteSession
from ila.schemes.policy import Prorata, ProrataMode, WorkBasis
from ila.schemes.working_time import working_time_ratio

from .people import ADMINISTRATOR, NOW, OPENED_ON, open_citizen

DAY = date(2026, 6, 30)
YEAR = date(2026, 1, 1), date(2027, 1, 1)
REFERENCES = {WorkBasis.HOURS: Decimal(1607), WorkBasis.PERCENT: Decimal(100)}


def rows(session: Session, query: Select[*tuple[Any, ...]]) -> list[dict[str, Any]]:
    return [dict(found) for found in session.execute(query).mappings()]


def test_facts_are_one_row_for_each_citizen_in_the_stretch(session: WriteSession) -> None:
    ids = [open_citizen(session, number) for number in range(1, 6)]

    found = rows(session, citizens.facts_on(DAY, citizens.KNOWN_NOW, first=ids[1], last=ids[3]))

    assert [fact["citizen_id"] for fact in found] == ids[1:4]
    assert {"income_minor", "born_on", "category", "region", "account_open"} <= set(found[0])


def test_the_stretch_is_a_pair_of_bind_parameters_that_can_be_set_anew(session: WriteSession) -> None:
    ids = [open_citizen(session, number) for number in range(1, 4)]
    query = citizens.facts_on(DAY, citizens.KNOWN_NOW, first=ids[0], last=ids[0])

    found = session.execute(query, {"first_citizen_id": ids[1], "last_citizen_id": ids[2]}).all()

    assert [fact.citizen_id for fact in found] == ids[1:]


def test_on_a_day_of_which_nothing_is_known_there_is_no_row(session: WriteSession) -> None:
    citizen_id = open_citizen(session)

    assert rows(session, citizens.facts_on(date(2025, 12, 31), citizens.KNOWN_NOW, first=citizen_id)) == []
    with pytest.raises(citizens.NoFacts, match="Nothing is known of this account on 2025-12-31"):
        citizens.facts_of(session, citizen_id, date(2025, 12, 31), citizens.KNOWN_NOW)


def test_facts_as_known_before_the_account_was_recorded_are_none(session: WriteSession) -> None:
    pinned = locks.pin_facts(session)
    citizen_id = open_citizen(session)

    assert rows(session, citizens.facts_on(DAY, pinned, first=citizen_id)) == []


def test_needs_are_a_boolean_for_each_criterion_asked_for(session: WriteSession) -> None:
    citizen_id = open_citizen(
        session,
        needs=(
            Need("disabled", EvidenceSource.REGISTER, OPENED_ON),
            Need("caregiver", EvidenceSource.DECLARATION, OPENED_ON, date(2026, 6, 30)),
            Need("migrant", EvidenceSource.DECLARATION, OPENED_ON),
        ),
    )

    asked = ["disabled", "caregiver", "migrant"]
    [held] = rows(session, citizens.needs_on(DAY, citizens.KNOWN_NOW, asked, first=citizen_id))
    [evidence] = rows(session, citizens.needs_by_source_on(DAY, citizens.KNOWN_NOW, asked, first=citizen_id))

    assert held == {"citizen_id": citizen_id, "disabled": True, "caregiver": False, "migrant": True}
    assert (evidence["disabled_declared"], evidence["migrant_declared"]) == (False, True)


def test_whoever_has_none_of_the_needs_has_no_row(session: WriteSession) -> None:
    citizen_id = open_citizen(session, needs=(Need("migrant", EvidenceSource.REGISTER, OPENED_ON),))

    assert rows(session, citizens.needs_on(DAY, citizens.KNOWN_NOW, ["disabled"], first=citizen_id)) == []
    with pytest.raises(ValueError, match="name at least one criterion"):
        citizens.needs_on(DAY, citizens.KNOWN_NOW, [])


def work(basis: WorkBasis, worked: str, reference: str | None, job_no: int = 1) -> Work:
    return Work(basis, Decimal(worked), None if reference is None else Decimal(reference), *YEAR, job_no=job_no)


@pytest.mark.parametrize(
    "jobs",
    [
        pytest.param((work(WorkBasis.HOURS, "803.5", None),), id="reference_of_the_scheme"),
        pytest.param((work(WorkBasis.HOURS, "803.5", "1820"),), id="own_reference_first"),
        pytest.param((work(WorkBasis.HOURS, "400", None), work(WorkBasis.PERCENT, "50", None, 2)), id="jobs_add_up"),
        pytest.param((work(WorkBasis.HOURS, "400", None), work(WorkBasis.DAYS, "9", None, 2)), id="one_without"),
        pytest.param((work(WorkBasis.HOURS, "0", None),), id="nothing_worked"),
    ],
)
def test_the_share_worked_is_that_of_the_rules_to_24_decimals(session: WriteSession, jobs: tuple[Work, ...]) -> None:
    citizen_id = open_citizen(session, work=jobs)

    [found] = rows(session, citizens.work_on(*YEAR, citizens.KNOWN_NOW, REFERENCES, first=citizen_id))

    records = citizens.facts_of(session, citizen_id, DAY, citizens.KNOWN_NOW).work_records
    exact = working_time_ratio(records, Prorata(ProrataMode.LINEAR, None, REFERENCES))
    assert round(found["ratio"], 24) == round(Decimal(exact.numerator) / Decimal(exact.denominator), 24)


def test_work_without_any_reference_has_no_share_and_is_not_zero(session: WriteSession) -> None:
    citizen_id = open_citizen(session, work=(work(WorkBasis.DAYS, "9", None),))

    assert rows(session, citizens.work_on(*YEAR, citizens.KNOWN_NOW, {}, first=citizen_id))[0]["ratio"] is None


def test_work_above_a_full_year_is_not_capped_here(session: WriteSession) -> None:
    citizen_id = open_citizen(session, work=(work(WorkBasis.HOURS, "3214", None),))

    assert rows(session, citizens.work_on(*YEAR, citizens.KNOWN_NOW, REFERENCES, first=citizen_id))[0]["ratio"] == 2


def test_work_of_another_year_does_not_count(session: WriteSession) -> None:
    citizen_id = open_citizen(session, work=(work(WorkBasis.HOURS, "800", None),))

    later = citizens.work_on(YEAR[1], date(2028, 1, 1), citizens.KNOWN_NOW, REFERENCES, first=citizen_id)

    assert rows(session, later) == []


def test_without_a_period_the_newest_year_with_work_up_to_the_day_counts(session: WriteSession) -> None:
    citizen_id = open_citizen(session, work=(work(WorkBasis.HOURS, "800", None),))
    citizens.record_work(
        session, ADMINISTRATOR, citizen_id,
        Work(WorkBasis.HOURS, Decimal(900), None, date(2027, 1, 1), date(2028, 1, 1)), now=NOW,
    )  # fmt: skip

    worked = [
        [record.worked for record in citizens.facts_of(session, citizen_id, day, citizens.KNOWN_NOW).work_records]
        for day in (date(2026, 12, 31), date(2029, 5, 1))
    ]
    of_2026 = citizens.facts_of(session, citizen_id, date(2029, 5, 1), citizens.KNOWN_NOW, period=YEAR).work_records

    assert worked == [[800], [900]]
    assert [record.worked for record in of_2026] == [800]


def test_with_nobody_the_range_of_ids_is_empty(session: WriteSession) -> None:
    first, last = citizens.id_range(session)

    assert (first, last) == (1, 0)
