"""Corrections leave what was known before them as it was known."""

from datetime import date
from decimal import Decimal

import pytest

from ila import citizens
from ila.citizens.rules import ClosingReason, EvidenceSource, Need, Work
from ila.db import locks
from ila.db.session import WriteSession
from ila.errors import DomainError, Invalid
from ila.schemes.policy import EmploymentStatus, WorkBasis

from .people import ADMINISTRATOR, NOW, OPENED_ON, open_citizen

DAY = date(2026, 6, 30)
LAST = date.max


def stretches(session: WriteSession, citizen_id: int) -> list[tuple[date, date, int | None]]:
    return sorted(
        (fact.valid_from, fact.valid_until, fact.income_minor)
        for fact in citizens.history_of(session, citizen_id).facts
        if fact.superseded_no is None
    )


def test_a_corrected_stretch_is_cut_out_and_the_days_around_it_stay(session: WriteSession) -> None:
    citizen_id = open_citizen(session)

    citizens.correct_facts(
        session, ADMINISTRATOR, citizen_id, {"income_minor": 1}, valid_from=date(2026, 3, 1),
        valid_until=date(2026, 5, 1), now=NOW,
    )  # fmt: skip

    assert stretches(session, citizen_id) == [
        (OPENED_ON, date(2026, 3, 1), 2_400_000),
        (date(2026, 3, 1), date(2026, 5, 1), 1),
        (date(2026, 5, 1), LAST, 2_400_000),
    ]


def test_facts_of_a_day_as_known_at_a_change_stay_the_same_whatever_is_corrected_later(session: WriteSession) -> None:
    citizen_id = open_citizen(session, needs=(Need("disabled", EvidenceSource.REGISTER, OPENED_ON),))
    pinned = locks.pin_facts(session)
    before = citizens.facts_of(session, citizen_id, DAY, pinned)

    citizens.correct_facts(
        session, ADMINISTRATOR, citizen_id, {"born_on": date(1985, 7, 31), "qualification_level": 2},
        valid_from=OPENED_ON, now=NOW,
    )  # fmt: skip
    citizens.withdraw_attestation(session, ADMINISTRATOR, citizen_id, "disabled", on=OPENED_ON, now=NOW)
    citizens.close_account(
        session, ADMINISTRATOR, citizen_id, on=date(2026, 2, 1), reason=ClosingReason.DEATH, today=DAY, now=NOW
    )

    assert citizens.facts_of(session, citizen_id, DAY, pinned) == before
    known_now = citizens.facts_of(session, citizen_id, DAY, citizens.KNOWN_NOW)
    assert (known_now.born_on, known_now.qualification_level) == (date(1985, 7, 31), 2)
    assert (known_now.attested, known_now.open) == (frozenset(), False)


def test_a_correction_that_changes_nothing_records_nothing(session: WriteSession) -> None:
    citizen_id = open_citizen(session)
    before = citizens.history_of(session, citizen_id)

    change_no = citizens.correct_facts(
        session, ADMINISTRATOR, citizen_id, {"income_minor": 2_400_000}, valid_from=OPENED_ON, now=NOW
    )

    assert change_no is None
    assert citizens.history_of(session, citizen_id) == before


def test_a_correction_reaches_every_known_stretch_and_keeps_their_other_facts(session: WriteSession) -> None:
    citizen_id = open_citizen(session)
    citizens.correct_facts(
        session, ADMINISTRATOR, citizen_id, {"employment_status": EmploymentStatus.JOBSEEKER},
        valid_from=date(2026, 5, 1), now=NOW,
    )  # fmt: skip

    citizens.correct_facts(session, ADMINISTRATOR, citizen_id, {"region": "BE21"}, valid_from=OPENED_ON, now=NOW)

    found = [citizens.facts_of(session, citizen_id, day, citizens.KNOWN_NOW) for day in (date(2026, 4, 30), DAY)]
    assert [(facts.region, facts.employment_status) for facts in found] == [
        ("BE21", EmploymentStatus.EMPLOYEE),
        ("BE21", EmploymentStatus.JOBSEEKER),
    ]


def test_every_change_tells_who_made_it_and_of_what_kind(session: WriteSession) -> None:
    citizen_id = open_citizen(session)
    citizens.attest_need(
        session, ADMINISTRATOR, citizen_id, Need("caregiver", EvidenceSource.DECLARATION, DAY), now=NOW
    )

    changes = citizens.history_of(session, citizen_id).changes

    assert [(change.kind.value, change.actor_id, change.recorded_at) for change in changes] == [
        ("opening", ADMINISTRATOR.actor_id, NOW),
        ("attestation", ADMINISTRATOR.actor_id, NOW),
    ]


def test_a_new_attestation_replaces_what_was_known_of_its_days(session: WriteSession) -> None:
    citizen_id = open_citizen(session, needs=(Need("disabled", EvidenceSource.DECLARATION, OPENED_ON),))

    citizens.attest_need(
        session, ADMINISTRATOR, citizen_id,
        Need("disabled", EvidenceSource.REGISTER, date(2026, 3, 1), date(2026, 9, 1)), now=NOW,
    )  # fmt: skip

    known = [need for need in citizens.history_of(session, citizen_id).needs if need.superseded_no is None]
    assert sorted((need.valid_from, need.valid_until, need.source.value) for need in known) == [
        (OPENED_ON, date(2026, 3, 1), "declaration"),
        (date(2026, 3, 1), date(2026, 9, 1), "register"),
        (date(2026, 9, 1), LAST, "declaration"),
    ]


def test_the_same_attestation_again_changes_nothing(session: WriteSession) -> None:
    need = Need("disabled", EvidenceSource.REGISTER, OPENED_ON, date(2029, 1, 1))
    citizen_id = open_citizen(session, needs=(need,))

    assert citizens.attest_need(session, ADMINISTRATOR, citizen_id, need, now=NOW) is None


@pytest.mark.parametrize(
    ("need", "sentence"),
    [
        (Need("poor", EvidenceSource.REGISTER, DAY), "There is no need criterion 'poor'"),
        (Need("disabled", EvidenceSource.REGISTER, DAY, DAY), "has to come after it"),
    ],
)
def test_a_bad_attestation_is_refused_with_one_sentence(session: WriteSession, need: Need, sentence: str) -> None:
    citizen_id = open_citizen(session)

    with pytest.raises(DomainError, match=sentence) as refusal:
        citizens.attest_need(session, ADMINISTRATOR, citizen_id, need, now=NOW)

    assert "\n" not in refusal.value.message


def test_a_criterion_that_only_a_scheme_names_can_be_attested(session: WriteSession) -> None:
    citizen_id = open_citizen(session)
    need = Need("seafarer", EvidenceSource.ATTESTATION, OPENED_ON)

    citizens.attest_need(session, ADMINISTRATOR, citizen_id, need, now=NOW, of_schemes={"seafarer"})

    assert citizens.attested_on(session, citizen_id, DAY, citizens.KNOWN_NOW) == {"seafarer"}


def test_withdrawing_what_nobody_attested_is_refused(session: WriteSession) -> None:
    citizen_id = open_citizen(session)

    with pytest.raises(citizens.NoSuchAttestation, match="No attestation of disabled"):
        citizens.withdraw_attestation(session, ADMINISTRATOR, citizen_id, "disabled", on=DAY, now=NOW)


def test_work_recorded_again_replaces_the_record_and_keeps_it_in_the_history(session: WriteSession) -> None:
    year = date(2026, 1, 1), date(2027, 1, 1)
    citizen_id = open_citizen(session, work=(Work(WorkBasis.HOURS, Decimal(800), Decimal(1607), *year),))
    pinned = locks.pin_facts(session)

    citizens.record_work(
        session, ADMINISTRATOR, citizen_id, Work(WorkBasis.HOURS, Decimal(900), Decimal(1607), *year), now=NOW
    )

    worked = [
        citizens.facts_of(session, citizen_id, DAY, known_no).work_records[0].worked
        for known_no in (pinned, citizens.KNOWN_NOW)
    ]
    assert worked == [800, 900]


def test_work_that_would_divide_a_record_is_refused(session: WriteSession) -> None:
    whole = Work(WorkBasis.HOURS, Decimal(800), None, date(2026, 1, 1), date(2027, 1, 1))
    half = Work(WorkBasis.HOURS, Decimal(800), None, date(2026, 1, 1), date(2026, 7, 1))
    citizen_id = open_citizen(session, work=(whole,))

    with pytest.raises(citizens.WorkOverlaps, match="record a stretch that holds it whole"):
        citizens.record_work(session, ADMINISTRATOR, citizen_id, half, now=NOW)


def test_work_of_two_calendar_years_is_refused(session: WriteSession) -> None:
    citizen_id = open_citizen(session)
    work = Work(WorkBasis.MONTHS, Decimal(8), None, date(2026, 9, 1), date(2027, 5, 1))

    with pytest.raises(Invalid, match="record each year by itself"):
        citizens.record_work(session, ADMINISTRATOR, citizen_id, work, now=NOW)


def test_correcting_days_before_the_first_known_one_is_refused(session: WriteSession) -> None:
    citizen_id = open_citizen(session)

    with pytest.raises(citizens.NoFacts, match="from 2020-01-01 until 2021-01-01"):
        citizens.correct_facts(
            session, ADMINISTRATOR, citizen_id, {"income_minor": 1}, valid_from=date(2020, 1, 1),
            valid_until=date(2021, 1, 1), now=NOW,
        )  # fmt: skip


def test_a_birth_after_the_first_fact_is_refused(session: WriteSession) -> None:
    citizen_id = open_citizen(session)

    with pytest.raises(Invalid, match="lies after 2026-01-01"):
        citizens.correct_facts(
            session, ADMINISTRATOR, citizen_id, {"born_on": date(2026, 1, 2)}, valid_from=OPENED_ON, now=NOW
        )
