"""A plan is computed in stretches of citizens and adds up to the same, whatever their length."""

import random

import pytest

from ila import allocations
from ila.allocations.commands import planning
from ila.db.session import WriteSession
from tests.conftest import NOW
from tests.factories import ANNA, add_people, parameters_of, previewed_run, random_person


def test_a_plan_in_many_stretches_is_the_plan_in_one(session: WriteSession, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = random.Random(7)
    add_people(session, [random_person(drawn) for _ in range(200)])
    run_id = previewed_run(session, parameters_of("eu_model"))
    whole = allocations.run_view(session, run_id).plan
    monkeypatch.setattr(planning, "PLAN_STRETCH", 33)
    told: list[tuple[int, int]] = []

    facts_no = allocations.pin_facts(session)
    pieced = allocations.preview(
        session, ANNA, run_id, facts_no=facts_no, now=NOW, on_progress=lambda done, total: told.append((done, total))
    )

    assert pieced == whole
    assert told[-1] == (200, 200)
    assert len(told) == 7
