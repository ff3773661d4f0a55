"""The life of a run through the API, and the one effect of each Idempotency-Key."""

import threading
from typing import Any

import pytest
from sqlalchemy import text

from ila import access
from ila.access.rules import Role
from ila.db import idempotency
from tests.conftest import NOW
from tests.factories import work_through
from tests.web.world import World

DRAFT = {"scheme": "eu_model", "credit": "yearly", "period": "2027", "fund": "national"}


def key(number: int) -> str:
    return f"a-key-of-the-tests-{number:04}"


def drafted(world: World, number: int = 1) -> dict[str, Any]:
    answer = world.post("anna", "/api/v1/runs", DRAFT, key=key(number))
    assert answer.status_code == 201, answer.get_data(as_text=True)
    body: dict[str, Any] = answer.get_json()
    return body


def act(world: World, who: str, run_id: int, verb: str, number: int, body: Any = None) -> Any:
    answer = world.post(who, f"/api/v1/runs/{run_id}/{verb}", body, key=key(number))
    assert answer.status_code in (200, 201, 202), answer.get_data(as_text=True)
    return answer


def started(world: World) -> int:
    run_id: int = drafted(world)["run_id"]
    plan_digest = act(world, "anna", run_id, "preview", 2).get_json()["plan_digest"]
    act(world, "ben", run_id, "approve", 3, {"plan_digest": plan_digest})
    answer = act(world, "anna", run_id, "start", 4)
    assert answer.headers["Location"] == f"/api/v1/runs/{run_id}"
    return run_id


def rows(world: World, table: str) -> int:
    with world.database.read_sessions()() as session:
        return session.scalar(text(f"SELECT count(*) FROM ila.{table}")) or 0


def test_a_run_goes_from_draft_to_finished_and_is_reversed(own_world: World) -> None:
    run_id = started(own_world)
    running = own_world.get("otto", f"/api/v1/runs/{run_id}").get_json()
    assert (running["state"], running["opened_by"], running["approved_by"]) == ("running", "anna", "ben")
    assert running["progress"]["slices_done"] == 0

    with own_world.database.sessions().begin() as session:
        work_through(session, run_id)

    finished = own_world.get("otto", f"/api/v1/runs/{run_id}").get_json()
    assert finished["state"] == "finished"
    assert finished["progress"]["amount_minor"] == finished["plan"]["amount_minor"] > 0
    assert finished["progress"]["slices_done"] == finished["progress"]["slices"] > 0
    reversal = act(own_world, "anna", run_id, "reverse", 5)
    assert reversal.status_code == 201
    assert reversal.get_json()["reverses_run_id"] == run_id
    listed = own_world.get("otto", "/api/v1/runs?limit=1").get_json()
    assert [run["kind"] for run in listed["runs"]] == ["reversal"]
    following = own_world.get("otto", f"/api/v1/runs?limit=1&cursor={listed['next']}").get_json()
    assert [run["run_id"] for run in following["runs"]] == [run_id]
    assert following["next"] is None


def test_a_run_is_paused_resumed_and_a_draft_cancelled(own_world: World) -> None:
    run_id = started(own_world)

    assert act(own_world, "anna", run_id, "pause", 5).get_json()["state"] == "paused"
    assert act(own_world, "anna", run_id, "resume", 6).get_json()["state"] == "running"
    refused = own_world.post("anna", f"/api/v1/runs/{run_id}/cancel", key=key(7))
    assert (refused.status_code, refused.get_json()["code"]) == (409, "run_state")


def test_nobody_approves_what_they_opened(own_world: World) -> None:
    run_id = drafted(own_world)["run_id"]
    plan_digest = act(own_world, "anna", run_id, "preview", 2).get_json()["plan_digest"]

    answer = own_world.post("anna", f"/api/v1/runs/{run_id}/approve", {"plan_digest": plan_digest}, key=key(3))

    assert (answer.status_code, answer.get_json()["code"]) == (403, "approval_by_author")


def test_an_approval_names_the_plan_that_was_looked_at(own_world: World) -> None:
    run_id = drafted(own_world)["run_id"]
    act(own_world, "anna", run_id, "preview", 2)

    answer = own_world.post("ben", f"/api/v1/runs/{run_id}/approve", {"plan_digest": "0" * 64}, key=key(3))

    assert (answer.status_code, answer.get_json()["code"]) == (422, "plan_changed")


def test_an_act_without_a_key_is_not_done(own_world: World) -> None:
    answer = own_world.post("anna", "/api/v1/runs", DRAFT)

    assert (answer.status_code, answer.get_json()["code"]) == (400, "key_missing")
    assert rows(own_world, "allocation_run") == 0


@pytest.mark.parametrize("wrong", ["short", "x" * 65, "with spaces in the key"])
def test_a_key_that_is_none_is_refused(own_world: World, wrong: str) -> None:
    answer = own_world.post("anna", "/api/v1/runs", DRAFT, key=wrong)

    assert (answer.status_code, answer.get_json()["code"]) == (400, "key_invalid")
    assert rows(own_world, "allocation_run") == 0


def test_a_repeat_gives_the_same_answer_and_does_nothing(own_world: World) -> None:
    first = own_world.post("anna", "/api/v1/runs", DRAFT, key=key(1))
    again = own_world.post("anna", "/api/v1/runs", dict(reversed(DRAFT.items())), key=key(1))

    assert again.data == first.data
    assert again.status_code == first.status_code == 201
    assert again.headers["Location"] == first.headers["Location"]
    assert ("Idempotency-Replayed" in first.headers, again.headers["Idempotency-Replayed"]) == (False, "true")
    assert rows(own_world, "allocation_run") == 1


def test_a_key_used_for_something_else_is_refused(own_world: World) -> None:
    own_world.post("anna", "/api/v1/runs", DRAFT, key=key(1))

    answer = own_world.post("anna", "/api/v1/runs", {**DRAFT, "period": "2026"}, key=key(1))

    assert (answer.status_code, answer.get_json()["code"]) == (422, "key_reused")
    assert rows(own_world, "allocation_run") == 1


def test_the_same_key_of_somebody_else_is_another_key(own_world: World) -> None:
    own_world.post("anna", "/api/v1/runs", DRAFT, key=key(1))

    answer = own_world.post("ben", "/api/v1/runs", {**DRAFT, "period": "2026"}, key=key(1))

    assert answer.status_code == 201


def test_a_refusal_stays_a_refusal_under_its_key(own_world: World) -> None:
    run_id = drafted(own_world)["run_id"]
    refused = own_world.post("anna", f"/api/v1/runs/{run_id}/start", key=key(2))
    plan_digest = act(own_world, "anna", run_id, "preview", 3).get_json()["plan_digest"]
    act(own_world, "ben", run_id, "approve", 4, {"plan_digest": plan_digest})

    again = own_world.post("anna", f"/api/v1/runs/{run_id}/start", key=key(2))
    fresh = own_world.post("anna", f"/api/v1/runs/{run_id}/start", key=key(5))

    assert refused.status_code == again.status_code == 409
    assert again.data == refused.data
    assert again.mimetype == "application/problem+json"
    assert fresh.status_code == 202


def test_a_refusal_leaves_nothing_of_the_act_behind(own_world: World) -> None:
    audited = rows(own_world, "audit_event")

    answer = own_world.post("anna", "/api/v1/runs", {**DRAFT, "fund": "nobody"}, key=key(1))

    assert answer.status_code == 404
    assert rows(own_world, "audit_event") == audited
    assert rows(own_world, "request_key") == 1


def test_a_fault_is_never_stored(own_world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ila.db.retry.TRIES", 1)
    with own_world.database.engine("ila_owner").connect() as blocker:
        blocker.execute(text("LOCK TABLE ila.allocation_run IN ACCESS EXCLUSIVE MODE"))
        monkeypatch.setenv("PGOPTIONS", "-c lock_timeout=200ms")
        own_world.app.extensions["ila_database"].close()
        answer = own_world.post("anna", "/api/v1/runs", DRAFT, key=key(1))
    monkeypatch.delenv("PGOPTIONS")

    assert (answer.status_code, answer.get_json()["code"]) == (503, "try_again")
    assert rows(own_world, "request_key") == 0
    assert own_world.post("anna", "/api/v1/runs", DRAFT, key=key(1)).status_code == 201


def test_two_requests_under_one_key_at_once_act_once(own_world: World) -> None:
    answers: list[Any] = []
    barrier = threading.Barrier(3)

    def ask() -> None:
        barrier.wait()
        answers.append(own_world.post("anna", "/api/v1/runs", DRAFT, key=key(1)))

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [answer.status_code for answer in answers] == [201] * 3
    assert len({answer.data for answer in answers}) == 1
    assert sorted(answer.headers.get("Idempotency-Replayed", "") for answer in answers) == ["", "true", "true"]
    assert rows(own_world, "allocation_run") == 1


def test_a_repeat_does_not_wait_for_ever_for_the_first(own_world: World) -> None:
    with own_world.database.sessions().begin() as session:
        anna = access.user_of_name(session, "anna").user_account_id
        idempotency.claim(session, anna, key(1), b"0" * 32, now=NOW)
        session.flush()

        answer = own_world.post("anna", "/api/v1/runs", DRAFT, key=key(1))

    assert (answer.status_code, answer.get_json()["code"]) == (409, "request_under_way")
    assert int(answer.headers["Retry-After"]) > 0
    assert rows(own_world, "allocation_run") == 0


def test_rights_are_read_again_in_the_transaction_that_acts(own_world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    reading = access.authenticate
    calls = []

    def revoked_after_the_first_look(session: Any, token: str, **options: Any) -> Any:
        found = reading(session, token, **options)
        if not calls:
            with own_world.database.sessions().begin() as other:
                access.revoke_role(other, access.user_of_name(other, "anna"), Role.ADMINISTRATOR, NOW)
        calls.append(found)
        return found

    monkeypatch.setattr("ila.access.authenticate", revoked_after_the_first_look)

    answer = own_world.post("anna", "/api/v1/runs", DRAFT, key=key(1))

    assert (answer.status_code, len(calls)) == (401, 1)
    assert rows(own_world, "allocation_run") == 0
