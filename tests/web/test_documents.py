"""The OpenAPI document is valid and kept; the vendored files are the ones that were vendored."""

import json
from pathlib import Path

from openapi_spec_validator import validate

from ila import api
from ila.api import vendored
from ila.web import declared_permission
from tests.web.world import World, application

ROOT = Path(__file__).resolve().parents[2]


def test_the_document_is_valid_openapi_3_1() -> None:
    document = json.loads(api.openapi_text())

    validate(document)
    assert document["openapi"] == "3.1.0"


def test_the_committed_document_is_the_one_that_is_served(world: World) -> None:
    committed = (ROOT / "docs" / "openapi.json").read_text(encoding="utf-8")

    assert committed == api.openapi_text(), "run `make golden` and look at the difference"
    assert json.loads(committed) == world.client().get("/api/v1/openapi.json").get_json()


def test_every_route_of_the_api_is_documented_with_who_may_call_it() -> None:
    app = application("postgresql://nobody@127.0.0.1:9/none")
    document = json.loads(api.openapi_text())
    declared = {
        endpoint.partition(".")[2]: permission.value
        for endpoint in app.view_functions
        if (permission := declared_permission(app, endpoint)) is not None
    }

    operations = [
        (method, each) for path in document["paths"].values() for method, each in path.items() if method != "parameters"
    ]

    assert len(operations) == 18
    for method, operation in operations:
        assert operation["x-permission"] == declared[operation["operationId"]]
        refusals = [answer for status, answer in operation["responses"].items() if int(status) >= 400]
        assert refusals
        assert all("$ref" in answer for answer in refusals)
        key = {"$ref": "#/components/parameters/IdempotencyKey"}
        assert (key in operation.get("parameters", [])) == (method == "post")
    for name, response in document["components"]["responses"].items():
        assert list(response["content"]) == ["application/problem+json"], name


def test_no_amount_is_documented_as_a_number_with_a_fraction() -> None:
    assert '"number"' not in api.openapi_text()


def test_vendored_files_are_unchanged_and_have_their_licence() -> None:
    assert list(vendored.faults()) == []
    for package in vendored.packages():
        assert "LICENSE" in package["sha256"]


def test_a_changed_vendored_file_is_noticed(tmp_path: Path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "tool").mkdir()
    (tmp_path / "tool" / "a.js").write_text("changed")
    (tmp_path / "tool" / "b.js").write_text("new")
    listed = {"packages": [{"directory": "tool", "sha256": {"a.js": "0" * 64, "c.js": "0" * 64}}]}
    (tmp_path / "VENDOR.json").write_text(json.dumps(listed))
    monkeypatch.setattr(vendored, "VENDOR", tmp_path)

    assert list(vendored.faults()) == [
        "tool/a.js is not the file that was vendored.",
        "tool/b.js stands in no list.",
        "tool/c.js is missing.",
    ]


def test_the_page_of_the_api_loads_only_our_own_files_and_runs_no_inline_script(world: World) -> None:
    page = world.client().get("/docs")
    text = page.get_data(as_text=True)

    assert "unsafe" not in page.headers["Content-Security-Policy"]
    assert "style=" not in text and "<style" not in text and "//" not in text.replace("<!doctype", "")
    for address in ("swagger-ui-bundle.js", "swagger-ui.css"):
        answer = world.client().get(f"/docs/static/vendor/swagger-ui-5.35.0/{address}")
        assert answer.status_code == 200
        assert "immutable" in answer.headers["Cache-Control"]
        answer.close()
    assert world.client().get("/docs/static/../documentation.py").status_code == 404
