"""Balance, entitlements, statement, explanation and forecast of an account through the API."""

from typing import Any

import pytest
from sqlalchemy import text

from ila import citizens, ledger
from ila.ids import is_reference
from tests.web.world import World, reserved


def of_account(world: World, name: str, rest: str, who: str | None = None) -> Any:
    answer = world.get(who or name, f"/api/v1/accounts/{world.accounts[name]}/{rest}")
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return answer.get_json()


def test_the_balance_is_what_the_ledger_holds(world: World) -> None:
    balance = of_account(world, "needy", "balance")

    with world.database.read_sessions()() as session:
        held = ledger.entitlements_of(session, citizens.citizen_id_of(session, world.accounts["needy"]))
    assert [each["available_minor"] for each in balance["balances"]] == [sum(each.available_minor for each in held)]
    assert balance["balances"][0]["scheme"] == {
        "code": "eu_model",
        "title": "Individual learning account (European model)",
        "unit": "EUR",
        "minor_units": 2,
    }
    assert balance["balances"][0]["next_expiry"]["on"] == min(each.expires_on for each in held).isoformat()
    assert (balance["frozen"], balance["closed"]) == (False, False)


def test_a_balance_of_a_later_day_leaves_out_what_has_expired_by_then(world: World) -> None:
    first = of_account(world, "needy", "entitlements")["entitlements"][0]
    today = of_account(world, "needy", "balance")["balances"][0]["available_minor"]
    last_day = of_account(world, "needy", f"balance?on={first['expires_on']}")["balances"][0]["available_minor"]
    next_year = of_account(world, "needy", "balance?on=2035-12-31")["balances"][0]["available_minor"]

    assert last_day == today
    assert next_year == today - first["available_minor"]


def test_who_has_nothing_yet_has_no_balance_and_no_error(world: World) -> None:
    assert of_account(world, "newcomer", "entitlements")["entitlements"] is not None
    assert set(of_account(world, "newcomer", "statement")) == {"account", "lines", "next", "prev"}


def test_entitlements_add_up_to_the_balance_and_tell_their_run(world: World) -> None:
    entitlements = of_account(world, "needy", "entitlements")["entitlements"]
    balance = of_account(world, "needy", "balance")["balances"][0]["available_minor"]

    assert sum(each["available_minor"] for each in entitlements if each["usable"]) == balance
    assert [each["run_id"] for each in entitlements] == list(world.runs)
    assert [each["period"] for each in entitlements] == ["2025", "2026", "2027"]
    assert {(each["credit"], each["fund"], each["source"]) for each in entitlements} == {
        ("yearly", "national", "accrual")
    }


def test_the_statement_has_a_running_balance_that_ends_in_the_balance(world: World) -> None:
    lines = of_account(world, "needy", "statement")["lines"]

    running = 0
    for line in lines:
        running += line["amount_minor"]
        assert line["balance_minor"] == running
    assert running == of_account(world, "needy", "balance")["balances"][0]["available_minor"]
    assert [line["kind"] for line in lines] == ["allocation"] * 3 + ["reserve"] * 2
    assert [line["counterpart"] for line in lines] == ["fund"] * 3 + ["reserved"] * 2


@pytest.mark.parametrize("limit", [1, 2, 3, 4, 5, 50])
def test_the_pages_of_a_statement_are_the_whole_in_both_directions(world: World, limit: int) -> None:
    whole = of_account(world, "needy", "statement")["lines"]

    forwards, page = [], of_account(world, "needy", f"statement?limit={limit}")
    forwards.append(page["lines"])
    assert page["prev"] is None
    while page["next"]:
        page = of_account(world, "needy", f"statement?limit={limit}&cursor={page['next']}")
        forwards.append(page["lines"])
    backwards = [page["lines"]]
    while page["prev"]:
        page = of_account(world, "needy", f"statement?limit={limit}&cursor={page['prev']}")
        backwards.append(page["lines"])

    assert [line for lines in forwards for line in lines] == whole
    assert [line for lines in reversed(backwards) for line in lines] == whole


def test_the_header_link_leads_to_the_neighbours(world: World) -> None:
    path = f"/api/v1/accounts/{world.accounts['needy']}/statement?limit=2"
    link = world.get("needy", path).headers["Link"]

    address, _, relation = link.partition(">; ")
    assert relation == 'rel="next"'
    following = world.get("needy", address.removeprefix("<"))
    assert following.get_json()["lines"] == of_account(world, "needy", "statement")["lines"][2:4]
    assert 'rel="prev"' in following.headers["Link"]


def test_a_line_added_between_two_pages_neither_hides_nor_repeats_another(own_world: World) -> None:
    run_id = credited(own_world)
    first = of_account(own_world, "needy", "statement?limit=1")
    with own_world.database.sessions().begin() as session:
        needy = citizens.citizen_id_of(session, own_world.accounts["needy"])
        reserved(session, needy, run_id, 1_000, 7)
        reserved(session, needy, run_id, 2_000, 8)

    assert first["next"] is None
    again = of_account(own_world, "needy", "statement?limit=1")
    rest = of_account(own_world, "needy", f"statement?cursor={again['next']}")
    assert again["lines"] == first["lines"]
    assert [line["amount_minor"] for line in rest["lines"]] == [-1_000, -2_000]


@pytest.mark.parametrize("damage", ["other account", "other filter", "changed", "nonsense"])
def test_a_cursor_is_good_for_its_own_address_alone(world: World, damage: str) -> None:
    cursor = of_account(world, "needy", "statement?limit=1")["next"]
    account, more = "needy", ""
    match damage:
        case "other account":
            account = "plain"
        case "other filter":
            more = "&scheme=eu_model"
        case "changed":
            cursor = ("A" if cursor[0] != "A" else "B") + cursor[1:]
        case "nonsense":
            cursor = "%00"

    answer = world.get("anna", f"/api/v1/accounts/{world.accounts[account]}/statement?cursor={cursor}{more}")

    assert (answer.status_code, answer.get_json()["code"]) == (422, "cursor_invalid")


def test_an_unchanged_account_is_answered_with_304_and_a_changed_one_anew(own_world: World) -> None:
    run_id = credited(own_world)
    path = f"/api/v1/accounts/{own_world.accounts['needy']}/balance"
    tag = own_world.get("needy", path).headers["ETag"]

    unchanged = own_world.get("needy", path, **{"If-None-Match": tag})
    with own_world.database.sessions().begin() as session:
        reserved(session, citizens.citizen_id_of(session, own_world.accounts["needy"]), run_id, 1_000, 7)
    changed = own_world.get("needy", path, **{"If-None-Match": tag})

    assert not tag.startswith("W/")
    assert (unchanged.status_code, unchanged.data, unchanged.headers["ETag"]) == (304, b"", tag)
    assert changed.status_code == 200
    assert changed.headers["ETag"] != tag
    assert changed.headers["Cache-Control"] == "private, no-cache"


def test_a_frozen_account_says_so_and_has_another_tag(own_world: World) -> None:
    credited(own_world)
    path = f"/api/v1/accounts/{own_world.accounts['plain']}/balance"
    before = own_world.get("plain", path)
    with own_world.database.sessions().begin() as session:
        frozen = "UPDATE ila.citizen SET frozen_at = now() WHERE reference = :reference"
        session.execute(text(frozen), {"reference": own_world.accounts["plain"]})

    after = own_world.get("plain", path, **{"If-None-Match": before.headers["ETag"]})

    assert (before.get_json()["frozen"], after.get_json()["frozen"]) == (False, True)
    page = own_world.browser("plain").get(f"/accounts/{own_world.accounts['plain']}").get_data(as_text=True)
    assert "This account is frozen" in page


def test_an_explanation_ends_in_the_amount_that_was_granted(world: World) -> None:
    for entitlement in of_account(world, "needy", "entitlements")["entitlements"]:
        explained = of_account(world, "needy", f"entitlements/{entitlement['run_id']}/explanation")

        assert explained["amount_minor"] == entitlement["granted_minor"]
        assert explained["steps"][-1] == {
            "name": "amount",
            "text": "Credited.",
            "value": entitlement["granted_minor"],
            "reference": None,
        }
        assert explained["needs"] == ["low_qualified", "caregiver"]
        factors = [step["value"] for step in explained["steps"] if step["name"].startswith("need.")]
        assert factors == ["1.6", "1.2"]


def test_a_run_that_did_not_consider_the_account_explains_nothing(world: World) -> None:
    answer = world.get("needy", f"/api/v1/accounts/{world.accounts['needy']}/entitlements/1/explanation")

    assert (answer.status_code, answer.get_json()["code"]) == (404, "no_such_run")


def test_a_forecast_starts_at_the_balance_and_its_events_add_up(world: World) -> None:
    forecast = of_account(world, "needy", "forecast?until=2040-12-31")["forecasts"][0]

    running = forecast["balance_minor"]
    assert running == of_account(world, "needy", "balance")["balances"][0]["available_minor"]
    assert forecast["events"]
    for event in forecast["events"]:
        running += event["amount_minor"]
        assert event["balance_minor"] == running
        assert event["on"] <= "2040-12-31"
    assert forecast["ceiling_met_on"] is not None


def test_a_forecast_follows_its_assumptions_and_repeats_them(world: World) -> None:
    path = "forecast?scheme=eu_model&until=2028-12-31&spent_minor_a_year=10000&needs_ended=caregiver,low_qualified"
    assumed = of_account(world, "needy", path)
    plain = of_account(world, "needy", "forecast?until=2028-12-31")

    assert assumed["assumptions"]["needs_ended"] == ["caregiver", "low_qualified"]
    assert assumed["assumptions"]["spent_minor_a_year"] == 10_000
    credit = [event["amount_minor"] for event in assumed["forecasts"][0]["events"] if event["kind"] == "credit"]
    usual = [event["amount_minor"] for event in plain["forecasts"][0]["events"] if event["kind"] == "credit"]
    assert credit[0] < usual[0]
    assert [event["kind"] for event in assumed["forecasts"][0]["events"]] == ["credit", "use"]


@pytest.mark.parametrize("query", ["until=2026-12-31", "until=2999-01-01", "spent_minor_a_year=-1", "scheme=none"])
def test_a_forecast_that_cannot_be_made_is_refused(world: World, query: str) -> None:
    answer = world.get("needy", f"/api/v1/accounts/{world.accounts['needy']}/forecast?{query}")

    assert answer.status_code in (404, 422)


def test_staff_read_every_account_by_its_reference(world: World) -> None:
    for who in ("anna", "otto"):
        assert of_account(world, "needy", "balance", who) == of_account(world, "needy", "balance")


def test_no_internal_number_of_a_citizen_leaves_the_platform(world: World) -> None:
    for rest in ("balance", "entitlements", "statement", f"entitlements/{world.runs[0]}/explanation", "forecast"):
        assert "citizen_id" not in str(of_account(world, "needy", rest))
    assert is_reference(of_account(world, "needy", "balance")["account"])


def test_who_asks_is_told_who_they_are(world: World) -> None:
    assert world.get("needy", "/api/v1/me").get_json()["account"] == world.accounts["needy"]
    anna = world.get("anna", "/api/v1/me").get_json()
    assert (anna["name"], anna["role"], anna["account"]) == ("anna", "administrator", None)
    assert "approve_runs" in anna["permissions"]


def test_a_scheme_shows_every_dated_value_with_its_law(world: World) -> None:
    listed = world.get("needy", "/api/v1/schemes").get_json()["schemes"]
    shown = world.get("needy", "/api/v1/schemes/eu_model").get_json()

    assert {"eu_model", "fr_cpf", "sg_sfc"} <= {scheme["code"] for scheme in listed}
    assert len(shown["digest"]) == 64
    base = next(each for each in shown["parameters"] if each["name"] == "base_amount")
    assert base["values"][0]["references"][0]["title"]
    assert world.get("needy", "/api/v1/schemes/nowhere").status_code == 404


def test_reading_changes_nothing_in_the_database(world: World) -> None:
    def state() -> list[Any]:
        with world.database.engine("ila_owner").connect() as connection:
            return list(
                connection.execute(
                    text("SELECT relname, n_tup_ins, n_tup_upd, n_tup_del FROM pg_stat_user_tables ORDER BY relname")
                )
            )

    with world.database.engine("ila_owner").connect() as connection:
        connection.execute(text("SELECT pg_stat_force_next_flush()"))
    before = state()
    for rest in ("balance", "entitlements", "statement", "forecast", f"entitlements/{world.runs[0]}/explanation"):
        of_account(world, "needy", rest)
    browser = world.browser("needy")
    for path in ("/", "/account", f"/accounts/{world.accounts['needy']}", "/problems", "/sign-in"):
        assert browser.get(path).status_code in (200, 303)
    assert state() == before


def credited(world: World) -> int:
    """Run the year 2027 in a world of the test's own."""
    from tests.factories import finished_run, parameters_of

    with world.database.sessions().begin() as session:
        return finished_run(session, parameters_of("eu_model"))
