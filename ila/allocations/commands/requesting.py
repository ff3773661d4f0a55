"""A credit that is given when a citizen asks: a run of one, finished in the transaction that opens it.

Nobody approves it, because nobody chooses: the law alone decides who gets what, once a period. A request that the
rules refuse uses up nothing.
"""

from collections.abc import Mapping
from datetime import date, datetime

from sqlalchemy import RowMapping, insert

from ila import audit, citizens, ledger, schemes
from ila.access.rules import Actor, Permission, require
from ila.allocations.models import AllocationRunRow, AllocationSliceRow, CreditRequestRow
from ila.allocations.queries import People, credited_on_request, scheme_lines
from ila.allocations.rules import AlreadyRequested, NotOnRequest, RequestRefused, RunKind, RunState, SliceState
from ila.db.session import WriteSession
from ila.ledger.rules import EntitlementSource
from ila.schemes import rules as scheme_rules
from ila.schemes.parameters import InForce, ParameterSet
from ila.schemes.policy import AccrualMode, AllocationPolicy, Reason

CALENDAR_YEAR, SCHOOL_YEAR, WINDOW = "calendar_year", "school_year", "window"
FIRST_MONTH_OF_SCHOOL = 9


def request_credit(
    session: WriteSession,
    actor: Actor,
    citizen_id: int,
    parameters: ParameterSet,
    *,
    credit_code: str,
    facts_no: int,
    now: datetime,
    today: date,
) -> int:
    """Credit one citizen who asks, by the facts and rules of today; return the number of the run.

    Raises `NotOnRequest` for a credit that runs give to everybody, `AlreadyRequested` for a second one in a calendar
    or school year, or within the window of years that the scheme counts in, and `RequestRefused` with the reason where
    the rules give nothing.
    """
    require(actor, Permission.MANAGE_RUNS)
    citizens.lock(session, citizen_id)
    scheme = schemes.register_parameter_set(session, parameters, now=now)
    policy = parameters.policy(credit_code, today)
    if policy.accrual_mode is not AccrualMode.ON_REQUEST:
        raise NotOnRequest(
            f"The credit {credit_code} of {scheme.code} is given to everybody by a run; nobody has to ask for it.",
            scheme=scheme.code,
        )
    period = _claimed_period(session, citizen_id, scheme, parameters, policy, today)
    fund = schemes.fund_of_code(session, scheme, None)
    run_id, entry_id = ledger.mint_ids(session, 2, year=today.year)
    people = People(citizen_id, citizen_id, facts_no, period)
    lines = scheme_lines(session, policy, scheme.scheme_id, people)
    _require_credit(session.execute(lines).mappings().one_or_none(), policy)
    session.add(
        AllocationRunRow(
            allocation_run_id=run_id,
            scheme_id=scheme.scheme_id,
            fund_id=fund.fund_id,
            kind=RunKind.REQUEST,
            credit_code=credit_code,
            period=period,
            state=RunState.FINISHED,
            reference_on=today,
            effective_on=today,
            facts_no=facts_no,
            parameter_digest=parameters.digest,
            opened_by=actor.actor_id,
            opened_at=now,
            started_by=actor.actor_id,
            started_at=now,
            finished_at=now,
        )
    )
    session.add(
        CreditRequestRow(
            citizen_id=citizen_id,
            scheme_id=scheme.scheme_id,
            credit_code=credit_code,
            period=period,
            allocation_run_id=run_id,
        )
    )
    session.flush()
    decided = lines.subquery("decided")
    credited = ledger.credit(
        session,
        decided.select().with_only_columns(decided.c.citizen_id, decided.c.amount_minor, decided.c.counted_minor),
        ledger.Crediting(
            run_id=run_id,
            slice_no=1,
            journal_entry_id=entry_id,
            fund_id=fund.fund_id,
            fund_limited=fund.limited,
            scheme_id=scheme.scheme_id,
            source=EntitlementSource.ACCRUAL,
            effective_on=today,
            expires_on=scheme_rules.expires_on(policy, today),
            period=today.year,
            parameter_digest=parameters.digest,
            actor_id=actor.actor_id,
        ),
        now=now,
    )
    session.execute(
        insert(AllocationSliceRow).values(
            allocation_run_id=run_id,
            slice_no=1,
            first_citizen_id=citizen_id,
            last_citizen_id=citizen_id,
            journal_entry_id=entry_id,
            state=SliceState.DONE,
            credited=credited.citizens,
            not_credited=0,
            amount_minor=credited.amount_minor,
            finished_at=now,
        )
    )
    audit.record(
        session, actor, "credit.requested", "allocation_run", run_id, now=now, amount_minor=credited.amount_minor
    )
    return run_id


def _claimed_period(
    session: WriteSession,
    citizen_id: int,
    scheme: schemes.Scheme,
    parameters: ParameterSet,
    policy: AllocationPolicy,
    today: date,
) -> str:
    """Return the period that the request would use up, or refuse because it has been used."""
    kind = parameters.value("accrual_period", today, policy.credit_code)
    period = str(today.year)
    if kind == SCHOOL_YEAR:
        first = today.year if today.month >= FIRST_MONTH_OF_SCHOOL else today.year - 1
        period = f"{first}/{(first + 1) % 100:02}"
    for earlier in credited_on_request(session, citizen_id, scheme.scheme_id, policy.credit_code):
        again_on = _again_on(parameters, policy, kind, earlier.effective_on)
        if earlier.period == period or again_on > today:
            when = f"from {again_on} on" if again_on > today else "in the next period"
            raise AlreadyRequested(
                f"The credit {policy.credit_code} of {scheme.code} was given for {earlier.period}; ask again {when}.",
                run_id=earlier.run_id,
            )
    return period


def _again_on(parameters: ParameterSet, policy: AllocationPolicy, kind: object, credited_on: date) -> date:
    """Return from which day on the credit can be asked for again; in years that all share, the period alone decides."""
    if kind in (CALENDAR_YEAR, SCHOOL_YEAR):
        return credited_on
    years = _window_years(parameters.on(policy.on, policy.credit_code)) if kind == WINDOW else 1
    return scheme_rules.months_later(credited_on, 12 * years)


def _window_years(rules: InForce) -> int:
    """Return the years of the window: of the credit's life, or of the most that may be used in it."""
    cap = rules.value_or_none("max_public_per_period")
    years = cap.get("window_years") if isinstance(cap, Mapping) else None
    return int(str(years if years is not None else rules.value("window_years")))


def _require_credit(line: RowMapping | None, policy: AllocationPolicy) -> None:
    """Raise `RequestRefused` with the reason where the rules give nothing."""
    if line is None or not line["amount_minor"]:
        reason = Reason(line["reason"]) if line else Reason.CLOSED
        raise RequestRefused(
            f"The credit {policy.credit_code} of {policy.scheme} cannot be given: {reason.value}; look at the"
            " explanation, and correct the facts if they are wrong.",
            reason=reason.value,
        )
