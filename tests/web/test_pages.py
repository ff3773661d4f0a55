"""The pages: signing in and out, figures that add up, and headers that let nothing else run."""

import re
from html.parser import HTMLParser
from typing import Any

import pytest
from bs4 import BeautifulSoup, Tag

from ila import citizens, ledger, schemes
from ila.portal import formats
from tests.web.world import World

OWN = {"Origin": "http://localhost"}


def page(world: World, who: str | None, path: str, status: int = 200) -> BeautifulSoup:
    answer = world.browser(who).get(path)
    assert answer.status_code == status, answer.get_data(as_text=True)
    return BeautifulSoup(answer.get_data(as_text=True), "html.parser")


def text_of(found: Any) -> str:
    assert isinstance(found, Tag)
    return " ".join(found.get_text(" ").split())


def minor_of(text: str) -> int:
    """Read an amount in euros off a page."""
    return int(re.sub(r"[^\d−]", "", text).replace("−", "-"))


def test_signing_in_sets_a_cookie_that_no_script_and_no_other_site_gets(world: World) -> None:
    client = world.client()

    answer = client.post("/sign-in", data={"token": f" {world.tokens['needy']} "}, headers=OWN)

    assert (answer.status_code, answer.headers["Location"]) == (303, "/account")
    cookie = answer.headers["Set-Cookie"]
    assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= {part.strip() for part in cookie.split(";")}
    shown = client.get("/account", follow_redirects=True)
    assert "Your balance" in shown.get_data(as_text=True)


def test_over_https_the_cookie_is_bound_to_the_host(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ila.web.guard.is_encrypted", lambda: True)
    monkeypatch.setattr("ila.portal.sign_in.is_encrypted", lambda: True)

    answer = world.client().post("/sign-in", data={"token": world.tokens["needy"]}, headers=OWN)

    assert answer.headers["Set-Cookie"].startswith("__Host-ila=")
    assert "Secure" in answer.headers["Set-Cookie"]


@pytest.mark.parametrize("token", ["", "nonsense", f"ila_{'x' * 43}", "x" * 5000])
def test_a_wrong_token_is_told_beside_its_field_and_sets_no_cookie(world: World, token: str) -> None:
    answer = world.client().post("/sign-in", data={"token": token}, headers=OWN)
    shown = BeautifulSoup(answer.get_data(as_text=True), "html.parser")

    assert answer.status_code == 422
    assert "Set-Cookie" not in answer.headers
    assert text_of(shown.title).startswith("Error:")
    assert shown.select_one("#token[aria-invalid=true]")
    assert not token or token not in answer.get_data(as_text=True)


@pytest.mark.parametrize("origin", [None, "https://elsewhere.example", "null", "http://localhost.elsewhere.example"])
@pytest.mark.parametrize("path", ["/sign-in", "/sign-out"])
def test_a_form_of_another_site_is_refused(world: World, path: str, origin: str | None) -> None:
    headers = {"Origin": origin} if origin else {}

    answer = world.browser("needy").post(path, data={"token": world.tokens["needy"]}, headers=headers)

    assert answer.status_code == 403
    assert "Set-Cookie" not in answer.headers


def test_signing_out_takes_the_cookie_back(world: World) -> None:
    client = world.browser("needy")

    answer = client.post("/sign-out", headers=OWN)

    assert answer.status_code == 303
    assert "Max-Age=0" in answer.headers["Set-Cookie"] or "01 Jan 1970" in answer.headers["Set-Cookie"]
    assert client.get("/account").headers["Location"] == "/sign-in"


def test_a_cookie_that_is_good_no_more_is_taken_back(world: World) -> None:
    client = world.client()
    client.set_cookie("ila", f"ila_{'x' * 43}")

    answer = client.get("/account")

    assert (answer.status_code, answer.headers["Location"]) == (303, "/sign-in")
    assert answer.headers["Set-Cookie"].startswith("ila=;")


@pytest.mark.parametrize("path", ["/accounts/{0}", "/accounts/{0}/statement/eu_model", "/accounts/{0}/why/{1}"])
def test_the_page_of_a_foreign_account_does_not_exist(world: World, path: str) -> None:
    page(world, "needy", path.format(world.accounts["plain"], world.runs[0]), 404)


def test_a_provider_sees_no_account(world: World) -> None:
    page(world, "school", "/account", 403)


def test_staff_open_an_account_by_its_reference_however_it_is_spaced(world: World) -> None:
    browser = world.browser("otto")
    spaced = formats.reference(world.accounts["needy"]).upper()

    assert browser.get("/account").status_code == 200
    assert browser.get(f"/account?reference={spaced}").headers["Location"] == f"/accounts/{world.accounts['needy']}"
    assert browser.get("/account?reference=nonsense").status_code == 422


def test_the_figures_of_the_balance_page_come_from_the_ledger_and_add_up(world: World) -> None:
    shown = page(world, "needy", f"/accounts/{world.accounts['needy']}")
    with world.database.read_sessions()() as session:
        held = ledger.entitlements_of(session, citizens.citizen_id_of(session, world.accounts["needy"]))
    granted = sum(each.granted_minor for each in held)
    available = sum(each.available_minor for each in held)

    figure = minor_of(text_of(shown.select_one(".figure")))
    parts = [minor_of(text_of(strong)) for strong in shown.select(".key strong")]
    holdings = [minor_of(next(iter(dd.stripped_strings))) for dd in shown.select("#parts ~ dl dd")]
    cells = [row.select("td") for row in shown.select("#recent ~ table tbody tr")]
    balances = [minor_of(text_of(row[3]).partition(": ")[2]) for row in cells]
    amounts = [minor_of(text_of(row[2])) for row in cells]

    assert figure == available == 3 * 54_000 - 14_500
    assert sum(parts[:-1]) == parts[-1] == granted
    assert sum(holdings) == available
    assert balances[0] == available
    assert sum(amounts) == available


def test_the_page_gives_the_reason_of_the_newest_credit(world: World) -> None:
    shown = page(world, "needy", f"/accounts/{world.accounts['needy']}")
    reason = text_of(shown.select_one("#why ~ dl"))

    assert "Low qualified × 1.6" in reason
    assert "Caregiver × 1.2" in reason
    credited = minor_of(text_of(shown.select_one("#why ~ dl .total dd")))
    first_line = shown.select_one("#recent ~ table .in")
    assert credited == minor_of(text_of(first_line))


def test_the_statement_pages_lead_through_every_line(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ila.portal.views.STATEMENT_LINES", 2)
    path = f"/accounts/{world.accounts['needy']}/statement/eu_model"
    rows = []
    while path:
        shown = page(world, "needy", path)
        rows += [minor_of(text_of(row.select("td")[2])) for row in shown.select("tbody tr")]
        older = shown.select_one("a[rel=next]")
        path = str(older["href"]) if older else ""

    assert rows == [-2_500, -12_000, *[54_000] * 3]
    page(world, "needy", f"/accounts/{world.accounts['needy']}/statement/eu_model?before=nonsense", 404)
    page(world, "needy", f"/accounts/{world.accounts['needy']}/statement/nowhere", 404)


def test_an_explanation_shows_each_step_with_its_law(world: World) -> None:
    shown = page(world, "needy", f"/accounts/{world.accounts['needy']}/why/{world.runs[-1]}")

    steps = [text_of(step) for step in shown.select(".steps li")]
    assert steps[-1] == "Credited. €540.00"
    assert all(step.select_one("small") for step in shown.select(".steps li")[:-1])
    assert text_of(shown.h1) == "Why €540.00?"


def test_an_account_without_credits_says_when_one_comes(own_world: World) -> None:
    shown = page(own_world, "newcomer", f"/accounts/{own_world.accounts['newcomer']}")

    assert "Nothing has been credited yet" in text_of(shown.main)


class Outline(HTMLParser):
    """Collects what a strict policy forbids."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [f"{tag}[{name}]" for name, _ in attrs if name == "style" or name.startswith("on")]
        self.found += [tag] if tag in ("style", "script") else []
        self.found += [value for name, value in attrs if name in ("src", "href") and value and "//" in value]


PAGES = [
    "/",
    "/sign-in",
    "/problems",
    "/problems/try-again",
    "/nothing",
    "/account",
    "/accounts/{0}",
    "/accounts/{0}/statement/eu_model",
    "/accounts/{0}/why/{1}",
]


@pytest.mark.parametrize("path", PAGES)
def test_every_page_is_whole_without_a_script_and_loads_nothing_from_elsewhere(world: World, path: str) -> None:
    address = path.format(world.accounts["needy"], world.runs[-1])
    answer = world.browser("needy").get(address, follow_redirects=True)
    outline = Outline()
    outline.feed(answer.get_data(as_text=True))
    shown = BeautifulSoup(answer.get_data(as_text=True), "html.parser")

    assert outline.found == []
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "no-store"
    assert len(shown.find_all("h1")) == 1
    assert shown.select_one("html[lang=en]")
    assert len(shown.find_all("main")) == 1
    assert all(table.caption for table in shown.find_all("table"))
    assert all(heading.get("scope") == "col" for heading in shown.select("thead th"))
    for named in shown.select("[aria-labelledby]"):
        assert shown.find(id=named["aria-labelledby"])


def test_files_are_kept_for_ever_under_the_hash_of_their_content(world: World) -> None:
    shown = page(world, None, "/")
    sheet = str(shown.select("link[rel=stylesheet]")[0]["href"])

    with world.client() as client:
        kept, plain = client.get(sheet), client.get("/static/ila.css")
        assert "immutable" in kept.headers["Cache-Control"]
        assert plain.headers["Cache-Control"] == "no-cache"
        assert client.get("/static/../views.py").status_code == 404
        kept.close()
        plain.close()


def test_the_style_sheet_stays_small(world: World) -> None:
    answer = world.client().get("/static/ila.css")

    assert len(answer.data) <= 12 * 1024
    answer.close()


def luminance(colour: str) -> float:
    channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_pair_of_text_and_ground_has_enough_contrast(world: World, scheme: str) -> None:
    answer = world.client().get("/static/ila.css")
    blocks = re.findall(r":root \{(.*?)\}", answer.get_data(as_text=True), re.DOTALL)
    answer.close()
    found = [dict(re.findall(r"--([\w-]+): (#\w+)", block)) for block in blocks]
    tokens = found[0] | (found[1] if scheme == "dark" else {})
    tokens = {name: value.replace("#fff", "#ffffff") if len(value) == 4 else value for name, value in tokens.items()}

    texts = ("ink", "muted", "brand", "credit", "forecast-word", "error")
    pairs = [(text, ground) for text in texts for ground in ("card", "page")]
    pairs += [("ink", "notice"), ("hero-label", "navy"), ("ink", "area"), ("on-focus", "focus")]
    for text, ground in pairs:
        light, dark = sorted((luminance(tokens[text]), luminance(tokens[ground])), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 4.5, (scheme, text, ground)


def test_money_of_every_unit_is_written_as_people_write_it() -> None:
    def scheme(unit: str, minor_units: int) -> schemes.Scheme:
        return schemes.Scheme(1, "x", "X", unit, minor_units, "UTC")

    assert formats.money(123_456, scheme("EUR", 2)) == "€1,234.56"
    assert formats.money(-500, scheme("GBP", 2)) == "−£5.00"
    assert formats.money(3_000_000, scheme("KRW", 0)) == "₩3,000,000"
    assert formats.money(1, scheme("hours", 0)) == "1 hour"
    assert formats.signed(0, scheme("EUR", 2)) == "€0.00"
