"""What the account page shows, put together from the ledger, the explanations and the forecast. No figure is made here:
each is a stored amount, a sum of stored amounts, or a step of an explanation.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from ila import allocations, citizens, clock, ledger, schemes
from ila.allocations import Assumptions, Explanation, Forecast, RunKind
from ila.citizens import NoFacts
from ila.ledger.chart import AccountKind
from ila.portal.charts import Point
from ila.web.accounts import forecasts_of, schemes_of
from ila.web.guard import read_session, settings
from ila.web.policies import policies

SOON_DAYS = 180
RECENT_LINES = 6


@dataclass(frozen=True, slots=True)
class Holding:
    """One entitlement with what its run was about."""

    entitlement: ledger.Entitlement
    run: allocations.RunTitle
    usable: bool


@dataclass(frozen=True, slots=True)
class Tab:
    """One scheme of the account with its balance, to choose from."""

    scheme: schemes.Scheme
    available_minor: int
    chosen: bool


@dataclass(frozen=True, slots=True)
class AccountPage:
    """The account under one scheme. Available, used, expired and taken back add up to what was granted."""

    account: citizens.Account
    tabs: Sequence[Tab]
    scheme: schemes.Scheme
    today: date
    available_minor: int
    used_minor: int
    expired_minor: int
    taken_back_minor: int
    granted_minor: int
    holdings: Sequence[Holding]
    expiring: Sequence[Holding]
    lines: Sequence[ledger.StatementLine]
    titles: dict[int, allocations.RunTitle]
    explanation: Explanation | None
    forecast: Forecast | None

    @property
    def recent(self) -> Sequence[ledger.StatementLine]:
        """The newest lines first, as many as the page has room for."""
        return self.lines[::-1][:RECENT_LINES]

    @property
    def past(self) -> list[Point]:
        """The balance after the last line of each day, in the order of the days, up to today."""
        by_day: dict[date, int] = {}
        balance_minor = 0
        for line in sorted(self.lines, key=lambda each: each.effective_on):
            balance_minor += line.amount_minor
            by_day[min(line.effective_on, self.today)] = balance_minor
        return [Point(on, after_minor) for on, after_minor in by_day.items()]

    @property
    def future(self) -> list[Point]:
        """The balances of the forecast, after the last event of each day."""
        events = self.forecast.events if self.forecast else ()
        by_day = {event.on: event.balance_minor for event in events if event.on > self.today}
        return [Point(on, after_minor) for on, after_minor in by_day.items()]

    @property
    def soon(self) -> Holding | None:
        """What expires next, if that is near enough to be told first."""
        near = self.today + timedelta(days=SOON_DAYS)
        return next((each for each in self.expiring if each.entitlement.expires_on <= near), None)


def account_page(account: citizens.Account, scheme_code: str | None) -> AccountPage | None:
    """Return the page of an account under a scheme, or the first it holds something of; None while it has nothing."""
    session = read_session()
    held = ledger.entitlements_of(session, account.citizen_id)
    known = schemes_of(held)
    if not known:
        return None
    scheme = next((each for each in known.values() if each.code == scheme_code), None) or _fullest(held, known)
    today = clock.today(scheme.time_zone)
    titles = allocations.run_titles(session, [each.allocation_run_id for each in held])
    holdings = [
        Holding(each, titles[each.allocation_run_id], each.available_minor > 0 and each.expires_on >= today)
        for each in held
        if each.scheme_id == scheme.scheme_id
    ]
    lines = ledger.statement(session, account.citizen_id, scheme_id=scheme.scheme_id)
    usable = [each for each in holdings if each.usable]
    granted_minor = sum(each.entitlement.granted_minor for each in holdings)
    available_minor = sum(each.entitlement.available_minor for each in usable)
    expired_minor = _expired_minor(lines, holdings)
    used_minor = -sum(line.amount_minor for line in lines if _other_side(line) is AccountKind.RESERVED)
    return AccountPage(
        account=account,
        tabs=[Tab(each, _available_minor(held, each), each.scheme_id == scheme.scheme_id) for each in known.values()],
        scheme=scheme,
        today=today,
        available_minor=available_minor,
        used_minor=used_minor,
        expired_minor=expired_minor,
        taken_back_minor=granted_minor - available_minor - used_minor - expired_minor,
        granted_minor=granted_minor,
        holdings=holdings,
        expiring=[each for each in usable if each.entitlement.expires_on < clock.NEVER],
        lines=lines,
        titles=titles,
        explanation=_newest_explanation(account.citizen_id, holdings),
        forecast=_forecast(account.citizen_id, scheme),
    )


def _available_minor(held: Sequence[ledger.Entitlement], scheme: schemes.Scheme) -> int:
    today = clock.today(scheme.time_zone)
    return sum(each.available_minor for each in held if each.scheme_id == scheme.scheme_id and each.expires_on >= today)


def _fullest(held: Sequence[ledger.Entitlement], known: dict[int, schemes.Scheme]) -> schemes.Scheme:
    """Choose the scheme under which the newest entitlement stands."""
    newest = max(held, key=lambda each: (each.available_minor > 0, each.allocation_run_id))
    return known[newest.scheme_id]


def _other_side(line: ledger.StatementLine) -> AccountKind:
    return line.debit.kind if line.credit.kind is AccountKind.ENTITLEMENT else line.credit.kind


def _expired_minor(lines: Sequence[ledger.StatementLine], holdings: Sequence[Holding]) -> int:
    """Sum what was swept as expired, and what has expired but waits for the sweep."""
    swept_minor = -sum(line.amount_minor for line in lines if _other_side(line) is AccountKind.EXPIRED)
    waiting_minor = sum(each.entitlement.available_minor for each in holdings if not each.usable)
    return swept_minor + waiting_minor


def _newest_explanation(citizen_id: int, holdings: Sequence[Holding]) -> Explanation | None:
    for holding in sorted(holdings, key=lambda each: each.run.effective_on, reverse=True):
        if holding.run.kind in (RunKind.YEARLY, RunKind.COHORT):
            return allocations.explain(read_session(), citizen_id, holding.run.run_id)
    return None


def _forecast(citizen_id: int, scheme: schemes.Scheme) -> Forecast | None:
    """Return the forecast of the scheme's credit that has most to say; None where nothing can be told."""
    parameters = next((each for each in policies() if each.code == scheme.code), None)
    if parameters is None:
        return None
    try:
        found = forecasts_of(citizen_id, parameters, Assumptions(years=settings().forecast_years))
    except NoFacts:
        return None
    return max(found, key=lambda each: sum(1 for event in each.events if event.kind == "credit"), default=None)
