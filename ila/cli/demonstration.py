"""What the demonstration does once its people are in: administrators, money, yearly runs, and tokens to look around.

Everything goes the ordinary way: one administrator opens and previews a run, another approves it, slices are worked
on, and the run is reconciled. Only the amounts appropriated are made to fit the plans.
"""

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from ila import access, allocations, citizens, ledger
from ila.access.rules import Actor, Role
from ila.allocations import Run, RunState
from ila.allocations.rules import PeriodAlreadyAllocated
from ila.cli.progress import Progress
from ila.cli.welcome import DEMO_TOKENS
from ila.db.session import WriteSession, WriteSessions
from ila.errors import Refused
from ila.scheduling.periods import DuePeriod, due_period
from ila.scheduling.worker import Step, Worker
from ila.schemes.parameters import NoValueInForce, ParameterSet, SchemeNotInForce
from ila.schemes.policy import AccrualMode

MAKER, CHECKER, AUDITOR = "anna.maker", "bernard.checker", "clara.auditor"
TOKEN_DAYS = 365
MODEL_SCHEME = "eu_model"
YEARS_OF_THE_MODEL = 3
APPROPRIATED_IN_STEPS_OF = 1_000_000


@dataclass(frozen=True, slots=True)
class Planned:
    """One run of the demonstration."""

    parameters: ParameterSet
    credit_code: str
    due: DuePeriod


def staff(session: WriteSession, *, now: datetime) -> tuple[Actor, Actor, list[dict[str, str]]]:
    """Create two administrators and an auditor; return the administrators and the tokens of all three."""
    tokens = []
    actors = {}
    for name, role, who in (
        (MAKER, Role.ADMINISTRATOR, "an administrator who opens and starts runs"),
        (CHECKER, Role.ADMINISTRATOR, "another administrator, who approves them"),
        (AUDITOR, Role.AUDITOR, "an auditor, who reads everything and changes nothing"),
    ):
        try:
            user = access.user_of_name(session, name)
        except access.NoSuchUser:
            user = access.create_user(session, name, now=now)
            access.grant_role(session, user, role, now=now)
        token = access.issue_token(
            session,
            role=role,
            user=user,
            label="demonstration",
            expires_at=now + timedelta(days=TOKEN_DAYS),
            now=now,
        )
        actors[name] = access.authenticate(session, token, now=now)
        tokens.append({"who": f"{name}, {who}", "role": role.value, "token": token})
    return actors[MAKER], actors[CHECKER], tokens


def planned(parameter_sets: Sequence[ParameterSet], *, today: date) -> Iterator[Planned]:
    """Yield the runs of the demonstration: the latest due period of each credit; of the model, the years before.

    This year's run of the model is left to whoever looks around: it takes two administrators.
    """
    for parameters in parameter_sets:
        for credit_code in parameters.credit_codes:
            if parameters.code == MODEL_SCHEME:
                yield from _years_of_the_model(parameters, credit_code, today)
            elif (
                due := due_period(parameters, credit_code, today) or _cohort(parameters, credit_code, today)
            ) is not None:
                yield Planned(parameters, credit_code, due)


def _years_of_the_model(parameters: ParameterSet, credit_code: str, today: date) -> Iterator[Planned]:
    for year in range(today.year - YEARS_OF_THE_MODEL, today.year):
        if (due := due_period(parameters, credit_code, date(year, 12, 31))) is not None:
            yield Planned(parameters, credit_code, due)


def _cohort(parameters: ParameterSet, credit_code: str, today: date) -> DuePeriod | None:
    """Return this year as the period of a one-off credit that is in force at its beginning."""
    first = date(today.year, 1, 1)
    try:
        mode = parameters.policy(credit_code, first).accrual_mode
    except (NoValueInForce, SchemeNotInForce):
        return None
    return DuePeriod(str(first.year), first, first) if mode is AccrualMode.ONE_OFF_COHORT else None


def allocate(
    sessions: WriteSessions,
    maker: Actor,
    checker: Actor,
    plan: Planned,
    *,
    slice_citizens: int,
    now: datetime,
    today: date,
) -> Run:
    """Open, preview, fund, approve, start and finish one run, or go on where an earlier attempt stopped; return it.

    Raises `Refused` where the run does not finish.
    """
    run = _opened(sessions, maker, plan, now=now, today=today)
    if run.state in (RunState.DRAFT, RunState.PREVIEWED):
        if _previewed(sessions, maker, run.run_id, now=now)["shortfall_minor"]:
            with sessions.begin() as session:
                run = allocations.run_view(session, run.run_id)
                _appropriate(session, maker, run, plan.parameters, now=now, today=today)
            _previewed(sessions, maker, run.run_id, now=now)
        with sessions.begin() as session:
            digest = allocations.run_view(session, run.run_id).plan_digest
            allocations.approve(session, checker, run.run_id, digest or b"", now=now)
        run = _seen(sessions, run.run_id)
    if run.state is RunState.APPROVED:
        with sessions.begin() as session:
            facts_no = allocations.pin_facts(session)
        with sessions.begin() as session:
            allocations.start(
                session, maker, run.run_id, facts_no=facts_no, slice_citizens=slice_citizens, now=now, today=today
            )
    worker = Worker(sessions, only_run=run.run_id)
    label = f"{plan.parameters.code}, {plan.credit_code}, {plan.due.period}"
    with Progress(label, _seen(sessions, run.run_id).progress.slices, "slices") as progress:
        while worker.step() is not Step.IDLE:
            progress.update(_seen(sessions, run.run_id).progress.slices_done)
    run = _seen(sessions, run.run_id)
    if run.state is not RunState.FINISHED:
        raise Refused(f"Run {run.run_id} of the demonstration is {run.state.value}: {run.failure}.", run_id=run.run_id)
    return run


def _opened(sessions: WriteSessions, maker: Actor, plan: Planned, *, now: datetime, today: date) -> Run:
    """Open the run, or find the one that an earlier attempt opened."""
    try:
        with sessions.begin() as session:
            run_id = allocations.open_run(
                session,
                maker,
                plan.parameters,
                credit_code=plan.credit_code,
                period=plan.due.period,
                reference_on=plan.due.reference_on,
                effective_on=plan.due.effective_on,
                now=now,
                today=today,
            )
    except PeriodAlreadyAllocated as taken:
        run_id = taken.facts["run_id"]
    return _seen(sessions, run_id)


def _seen(sessions: WriteSessions, run_id: int) -> Run:
    with sessions.begin() as session:
        return allocations.run_view(session, run_id)


def _previewed(sessions: WriteSessions, maker: Actor, run_id: int, *, now: datetime) -> dict[str, Any]:
    with sessions.begin() as session:
        facts_no = allocations.pin_facts(session)
    with sessions.begin() as session:
        return allocations.preview(session, maker, run_id, facts_no=facts_no, now=now)


def _appropriate(
    session: WriteSession, maker: Actor, run: Run, parameters: ParameterSet, *, now: datetime, today: date
) -> None:
    """Give the fund of a run what it lacks, in whole millions of the unit."""
    step_minor = APPROPRIATED_IN_STEPS_OF * 10**run.scheme.minor_units
    lacking_minor = (run.plan or {})["shortfall_minor"]
    ledger.appropriate(
        session,
        actor_id=maker.actor_id,
        fund_id=run.fund.fund_id,
        scheme_id=run.scheme.scheme_id,
        amount_minor=-(-lacking_minor // step_minor) * step_minor,
        reference=f"Demonstration: {run.scheme.code} {run.credit_code} {run.period}",
        effective_on=today,
        parameter_digest=parameters.digest,
        now=now,
    )


@dataclass(frozen=True, slots=True)
class Persona:
    """A citizen of the demonstration worth looking at, and why."""

    who: str
    citizen_id: int


def citizen_tokens(session: WriteSession, found: Sequence[Persona], *, now: datetime) -> list[dict[str, str]]:
    """Give each persona a token for their own account."""
    return [
        {
            "who": persona.who,
            "role": Role.CITIZEN.value,
            "reference": citizens.reference_of(session, persona.citizen_id),
            "token": access.issue_token(
                session,
                role=Role.CITIZEN,
                citizen_id=persona.citizen_id,
                label="demonstration",
                expires_at=now + timedelta(days=TOKEN_DAYS),
                now=now,
            ),
        }
        for persona in found
    ]


def write_tokens(data_directory: Path, tokens: Sequence[dict[str, str]]) -> Path:
    """Write the tokens where only the owner of the data can read them; the last act of loading the demonstration."""
    target = data_directory / DEMO_TOKENS
    unfinished = target.with_suffix(".unfinished")
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as content:
        json.dump({"tokens": list(tokens)}, content, indent=2)
    unfinished.replace(target)
    return target
