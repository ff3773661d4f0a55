"""What a balance may become: expected credits, expiries, and the day the ceiling is met.

A forecast is arithmetic over today's rules and facts; it promises nothing. Its assumptions are parameters: the years
ahead, what is spent a year, and facts that would change. It reads the law from the same policies as a run does.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from sqlalchemy.orm import Session

from ila import citizens, ledger, schemes
from ila.allocations import rules
from ila.allocations.queries import COUNTED_SOURCES, cohort_runs
from ila.db.session import ReadSession
from ila.ledger.rules import EntitlementSource
from ila.schemes import rules as scheme_rules
from ila.schemes.parameters import NoValueInForce, ParameterSet, SchemeNotInForce
from ila.schemes.policy import AccrualMode, AllocationPolicy, CeilingScope, EmploymentStatus, Reason
from ila.schemes.rules import CitizenFacts, Counted


@dataclass(frozen=True, slots=True)
class Assumptions:
    """What a forecast takes for granted; None leaves the facts as they are known today."""

    years: int = 10
    spent_minor_a_year: int = 0
    employment_status: EmploymentStatus | None = None
    income_minor: int | None = None
    qualification_level: int | None = None
    needs_added: frozenset[str] = frozenset()
    needs_ended: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class ForecastEvent:
    """One expected event: a `credit`, an `expiry` or a `use`; the balance is that after it. Minor units."""

    on: date
    kind: str
    amount_minor: int
    balance_minor: int
    note: str


@dataclass(frozen=True, slots=True)
class Forecast:
    """The expected events of one credit of a scheme, and the first day the ceiling cuts a credit.

    `ends_on` is the first day of credit on which, and after which, nothing more is given: `ends_because` says why; it
    is None where the scheme itself has no rules beyond that day.
    """

    scheme: schemes.Scheme
    credit_code: str
    balance_minor: int
    events: Sequence[ForecastEvent]
    ceiling_met_on: date | None
    ends_on: date | None
    ends_because: Reason | None
    assumptions: Assumptions


@dataclass(slots=True)
class _Holding:
    """One entitlement in the forecast."""

    available_minor: int
    granted_minor: int
    expires_on: date
    source: EntitlementSource


@dataclass(slots=True)
class _Account:
    holdings: list[_Holding] = field(default_factory=list)
    had_once: bool = False
    """Whether the credit asked about, given once in a life, was given before."""

    def balance_minor(self) -> int:
        return sum(holding.available_minor for holding in self.holdings)

    def counted_minor(self, scope: CeilingScope) -> int:
        lifetime = scope is CeilingScope.LIFETIME_ACCRUAL
        return sum(
            holding.granted_minor if lifetime else holding.available_minor
            for holding in self.holdings
            if holding.source in COUNTED_SOURCES[scope]
        )

    def expire_before(self, day: date) -> list[tuple[date, int]]:
        """Take out what expires before a day; return the days and amounts in order."""
        gone = sorted(
            (holding.expires_on, holding.available_minor)
            for holding in self.holdings
            if holding.expires_on < day and holding.available_minor
        )
        for holding in self.holdings:
            if holding.expires_on < day:
                holding.available_minor = 0
        return gone

    def spend(self, amount_minor: int) -> int:
        """Draw an amount, what expires first first; return what there was to draw."""
        left_minor = amount_minor
        for holding in sorted(self.holdings, key=lambda each: each.expires_on):
            taken_minor = min(left_minor, holding.available_minor)
            holding.available_minor -= taken_minor
            left_minor -= taken_minor
        return amount_minor - left_minor


def forecast(
    session: ReadSession | Session,
    citizen_id: int,
    parameters: ParameterSet,
    *,
    credit_code: str,
    today: date,
    assumptions: Assumptions,
) -> Forecast:
    """Return what may become of one credit of a scheme for a citizen over the years ahead."""
    scheme = schemes.scheme_of_code(session, parameters.code)
    facts = assumed_facts(citizens.facts_of(session, citizen_id, today, citizens.KNOWN_NOW), assumptions)
    held_now = ledger.entitlements_of(session, citizen_id, scheme_id=scheme.scheme_id)
    once = set(cohort_runs(session, scheme.scheme_id, credit_code))
    account = _Account(
        [_Holding(each.available_minor, each.granted_minor, each.expires_on, each.source) for each in held_now],
        had_once=any(each.allocation_run_id in once for each in held_now),
    )
    return project(parameters, scheme, facts, account, credit_code=credit_code, today=today, assumptions=assumptions)


def assumed_facts(facts: CitizenFacts, assumptions: Assumptions) -> CitizenFacts:
    """Return the facts with what a citizen assumes of the future put in their place."""
    changes: dict[str, Any] = {
        "attested": (facts.attested | assumptions.needs_added) - assumptions.needs_ended,
    }
    for name in ("employment_status", "income_minor", "qualification_level"):
        if (value := getattr(assumptions, name)) is not None:
            changes[name] = value
    return replace(facts, **changes)


def project(
    parameters: ParameterSet,
    scheme: schemes.Scheme,
    facts: CitizenFacts,
    account: _Account,
    *,
    credit_code: str,
    today: date,
    assumptions: Assumptions,
) -> Forecast:
    """Walk through the years: expiries before each credit, the credit under its ceiling, then the year's use."""
    starting_minor = account.balance_minor()
    events: list[ForecastEvent] = []
    ceiling_met_on: date | None = None
    ends_on: date | None = None
    ends_because: Reason | None = None
    for year in range(today.year + 1, today.year + 1 + assumptions.years):
        try:
            policy, credited_on = _policy_of_year(parameters, credit_code, year)
        except (NoValueInForce, SchemeNotInForce):
            if ends_on is None:
                ends_on, ends_because = date(year, 1, 1), None
            break
        events += _expiries(account, credited_on)
        counted = Counted(account.counted_minor(policy.ceiling.scope), already_credited=account.had_once)
        line = scheme_rules.allocation_line(policy, facts, counted, credited_on)
        if line.reason is Reason.CEILING:
            ceiling_met_on = ceiling_met_on or credited_on
        if line.amount_minor:
            account.holdings.append(
                _Holding(line.amount_minor, line.amount_minor, line.expires_on or date.max, EntitlementSource.ACCRUAL)
            )
            account.had_once = account.had_once or policy.accrual_mode is AccrualMode.ONE_OFF_COHORT
        if line.amount_minor or line.reason is Reason.CEILING:
            note = "cut by the ceiling" if line.reason else f"{credit_code} credit for {year}"
            events.append(ForecastEvent(credited_on, "credit", line.amount_minor, 0, note))
            ends_on = ends_because = None
        elif ends_on is None:
            ends_on, ends_because = credited_on, line.reason
        if assumptions.spent_minor_a_year:
            used_on = date(year, 12, 31)
            events += _expiries(account, used_on)
            used_minor = account.spend(assumptions.spent_minor_a_year)
            if used_minor:
                events.append(ForecastEvent(used_on, "use", -used_minor, 0, "assumed use of the year"))
    return Forecast(
        scheme,
        credit_code,
        starting_minor,
        _with_balances(events, starting_minor),
        ceiling_met_on,
        ends_on,
        ends_because,
        assumptions,
    )


def _policy_of_year(parameters: ParameterSet, credit_code: str, year: int) -> tuple[AllocationPolicy, date]:
    """Return the policy that decides the credit given in a calendar year, and the day it is given."""
    mode = parameters.policy(credit_code, date(year, 1, 1)).accrual_mode
    period = str(year - 1) if mode is AccrualMode.ANNUAL_ARREARS else str(year)
    reference_on, credited_on = rules.default_days(mode, period)
    return parameters.policy(credit_code, reference_on), credited_on


def _expiries(account: _Account, before: date) -> list[ForecastEvent]:
    return [
        ForecastEvent(expired_on, "expiry", -amount_minor, 0, "unused credit expires")
        for expired_on, amount_minor in account.expire_before(before)
    ]


def _with_balances(events: list[ForecastEvent], balance_minor: int) -> list[ForecastEvent]:
    """Sort the events by day and put the running balance beside each."""
    result = []
    for event in sorted(events, key=lambda each: each.on):
        balance_minor += event.amount_minor
        result.append(replace(event, balance_minor=balance_minor))
    return result
