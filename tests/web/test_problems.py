"""Refusals are problem documents, strict about what was sent, and silent about the inside."""

import importlib
import pkgutil

import pytest

import ila
from ila import web
from ila.access.rules import Permission
from ila.errors import DomainError
from ila.web.problems import STATUS_OF_CODE, kinds
from tests.web.world import World, application


def test_a_problem_has_the_members_of_the_standard(world: World) -> None:
    answer = world.get("needy", "/api/v1/runs")
    body = answer.get_json()

    assert answer.mimetype == "application/problem+json"
    assert body["type"] == "/problems/not-allowed"
    assert body["status"] == answer.status_code == 403
    assert body["title"] == "Not allowed"
    assert "read_runs" in body["detail"]
    assert body["request_id"] == answer.headers["X-Request-ID"]


def test_an_unknown_address_is_a_problem_for_programs_and_a_page_for_people(world: World) -> None:
    assert world.client().get("/api/v1/nothing").mimetype == "application/problem+json"
    page = world.client().get("/nothing")
    assert (page.status_code, page.mimetype) == (404, "text/html")


def test_a_wrong_method_names_the_right_ones(world: World) -> None:
    answer = world.client().put("/api/v1/runs")

    assert answer.status_code == 405
    assert {"GET", "POST"} <= {method.strip() for method in answer.headers["Allow"].split(",")}


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("?unknown=1", "unknown"),
        ("?on=2027-02-01&on=2027-03-01", "on"),
        ("?on=yesterday", "on"),
        ("?on=2026-01-01", "on"),
    ],
)
def test_a_parameter_that_is_unknown_repeated_or_wrong_is_named(world: World, query: str, parameter: str) -> None:
    answer = world.get("needy", f"/api/v1/accounts/{world.accounts['needy']}/balance{query}")

    assert answer.status_code == 422
    assert answer.get_json()["errors"][0]["parameter"] == parameter


def test_a_resource_without_parameters_refuses_them_too(world: World) -> None:
    assert world.get("needy", "/api/v1/me?debug=1").get_json()["code"] == "unknown_parameter"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"scheme": "eu_model", "scheme": "fr_cpf"}', "stands twice"),
        (b'{"scheme": NaN}', "no number"),
        (b'{"scheme": 1.5}', "whole minor units"),
        (b'{"scheme": "a\\u0000b"}', "U+0000"),
        (b'{"scheme": "\\ud800"}', "surrogate"),
        (b"[" * 30 + b"]" * 30, "deep"),
        (b"[" * 100_000, "deep"),
        (b"{", "line 1"),
        (b"\xff\xfe", "UTF-8"),
    ],
)
def test_json_that_says_more_than_one_thing_is_refused(world: World, body: bytes, said: str) -> None:
    answer = world.client().post(
        "/api/v1/runs",
        data=body,
        headers={**world._authorized("anna"), "Idempotency-Key": "k" * 20},
        content_type="application/json",
    )

    assert answer.status_code == 400
    assert said in answer.get_json()["errors"][0]["detail"]


def test_a_body_of_another_type_is_refused(world: World) -> None:
    answer = world.client().post("/api/v1/runs", data="scheme=eu_model", headers=world._authorized("anna"))

    assert answer.status_code == 415


def test_a_body_that_is_too_large_is_refused(world: World) -> None:
    answer = world.client().post(
        "/api/v1/runs", data=b" " * (1024**2 + 1), headers=world._authorized("anna"), content_type="application/json"
    )

    assert answer.status_code == 413


def test_each_wrong_field_is_pointed_at(world: World) -> None:
    answer = world.post("anna", "/api/v1/runs", {"scheme": "EU", "period": 2027, "extra": 1}, key="k" * 20)

    assert answer.status_code == 422
    assert {error["pointer"] for error in answer.get_json()["errors"]} == {
        "#/scheme",
        "#/period",
        "#/extra",
        "#/credit",
    }


def test_an_unreachable_database_is_one_sentence_and_a_time_to_come_back() -> None:
    app = application("postgresql://nobody@127.0.0.1:9/none")
    headers = {"Authorization": f"Bearer ila_{'x' * 43}"}

    answer = app.test_client().get("/api/v1/me", headers=headers)

    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert answer.get_json()["detail"].count(".") == 1
    assert "127.0.0.1" not in answer.get_data(as_text=True)
    page = app.test_client()
    page.set_cookie("ila", f"ila_{'x' * 43}")
    shown = page.get("/account")
    assert (shown.status_code, shown.mimetype) == (503, "text/html")


def test_a_defect_tells_nothing_of_the_inside() -> None:
    app = application("postgresql://nobody@127.0.0.1:9/none")

    @web.access(Permission.PUBLIC)
    def broken() -> str:
        raise RuntimeError("the inside")

    app.add_url_rule("/api/v1/broken", "broken", broken)

    answer = app.test_client().get("/api/v1/broken")
    assert (answer.status_code, answer.get_json()["code"]) == (500, "internal_error")
    assert "the inside" not in answer.get_data(as_text=True)
    assert answer.get_json()["request_id"]


def test_every_refusal_of_the_platform_has_a_page(world: World) -> None:
    for module in pkgutil.walk_packages(ila.__path__, "ila."):
        if not module.name.startswith(("ila.cli", "ila.__main__")):  # those speak to terminals
            importlib.import_module(module.name)

    def codes(kind: type[DomainError]) -> set[str]:
        return {kind.code}.union(*(codes(below) for below in kind.__subclasses__()))

    shown = {code for code in codes(DomainError) if STATUS_OF_CODE.get(code) != 500}
    assert shown <= kinds().keys()
    for code in sorted(kinds()):
        page = world.client().get(f"/problems/{code.replace('_', '-')}")
        assert page.status_code == 200, code
        assert kinds()[code].title in page.get_data(as_text=True)


def test_the_page_of_an_unknown_problem_does_not_exist(world: World) -> None:
    assert world.client().get("/problems/no-such-problem-at-all").status_code == 404
