"""Why an amount is what it is: the steps of the one SELECT in words, each with its rule and its law.

A past entitlement is explained from the facts as the platform knew them when the run was pinned, the stored parameter
set, and the balance that was counted then: the same steps come out ten years later, whatever was corrected since.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

from sqlalchemy import RowMapping, select
from sqlalchemy.orm import Session

from ila import citizens, ledger, schemes
from ila.allocations import queries, rules
from ila.allocations.commands.planning import run_policy
from ila.allocations.models import AllocationRunRow
from ila.allocations.queries import NoSuchRun, People, lines_as_counted, scheme_lines
from ila.allocations.rules import GIVING
from ila.allocations.weighting import held
from ila.errors import NotFound
from ila.money import Rounding, decimal_from_minor, round_minor
from ila.schemes import rules as scheme_rules
from ila.schemes.parameters import ParameterSet
from ila.schemes.policy import (
    AllocationPolicy,
    CeilingScope,
    Combination,
    Effect,
    NeedWeight,
    ProrataMode,
    Reason,
    Taper,
)


class NotConsidered(NotFound):
    """The run did not consider this citizen: there was no account, or no facts, on the reference day."""

    code = "not_considered"


@dataclass(frozen=True, slots=True)
class Step:
    """One step: a stable name, what it says in words, its result (minor units, ratio or word), and the law."""

    name: str
    text: str
    value: int | Decimal | str | None
    reference: str | None


@dataclass(frozen=True, slots=True)
class Explanation:
    """One citizen's line of one run, or of a run that could be."""

    run_id: int | None
    scheme: schemes.Scheme
    credit_code: str
    period: str
    reference_on: date
    effective_on: date
    parameter_digest: bytes
    facts: Mapping[str, Any]
    needs: Sequence[str]
    steps: Sequence[Step]
    amount_minor: int
    reason: Reason | None
    expires_on: date | None


def explain(session: Session, citizen_id: int, run_id: int) -> Explanation:
    """Explain what a run gave a citizen, or why it gave nothing; raises `NoSuchRun`, `NotConsidered`."""
    run = session.get(AllocationRunRow, run_id)
    if run is None or run.facts_no is None or run.kind not in GIVING:
        raise NoSuchRun(f"There is no run {run_id} that gave credits; look at the runs there are.", run_id=run_id)
    counted_minor = ledger.counted_minor(session, citizen_id, run_id)
    if counted_minor is None:
        nothing = queries.zero_line(session, citizen_id, run_id)
        if nothing is None:
            raise NotConsidered(
                f"Run {run_id} did not consider this account: it was not open or had no facts on {run.reference_on}.",
                run_id=run_id,
            )
        counted_minor = nothing.counted_minor
        already = nothing.reason is Reason.ALREADY_CREDITED
    else:
        already = False
    policy = run_policy(session, run)
    people = People(citizen_id, citizen_id, run.facts_no, run.period)
    row = _named(session.execute(lines_as_counted(policy, people, counted_minor)).mappings().one())
    scheme = schemes.scheme_of_id(session, run.scheme_id)
    return _explanation(policy, scheme, row, run.period, run.effective_on, run_id=run_id, already_credited=already)


def explain_planned(
    session: Session,
    citizen_id: int,
    parameters: ParameterSet,
    *,
    credit_code: str,
    period: str,
    on: date | None = None,
) -> Explanation:
    """Explain what a run of today would give a citizen, from the facts and the balance of this moment."""
    bounds = rules.period_bounds(period)
    mode = parameters.policy(credit_code, on or max(bounds[0], parameters.first_on)).accrual_mode
    reference_on, effective_on = rules.default_days(mode, period)
    policy = parameters.policy(credit_code, on or reference_on)
    scheme = schemes.scheme_of_code(session, parameters.code)
    people = People(citizen_id, citizen_id, citizens.KNOWN_NOW, period)
    row = session.execute(scheme_lines(session, policy, scheme.scheme_id, people)).mappings().one_or_none()
    if row is None:
        raise NotConsidered(f"The account has no facts on {policy.on}; record them first.", on=policy.on)
    return _explanation(policy, scheme, _named(row), period, effective_on, run_id=None, already_credited=False)


def _named(row: RowMapping) -> dict[str, Any]:
    return {str(name): value for name, value in row.items()}


def _explanation(
    policy: AllocationPolicy,
    scheme: schemes.Scheme,
    row: Mapping[str, Any],
    period: str,
    effective_on: date,
    *,
    run_id: int | None,
    already_credited: bool,
) -> Explanation:
    reason = Reason.ALREADY_CREDITED if already_credited else (Reason(row["reason"]) if row["reason"] else None)
    amount_minor = 0 if already_credited else row["amount_minor"]
    needs = [need for need in policy.needs if row[held(need.criterion)]]
    facts = {
        "born_on": row["born_on"],
        "age": row["age"],
        "employment_status": row["employment_status"],
        "resides_here": row["resides_here"],
        "works_here": row["works_here"],
        "qualification_level": row["qualification_level"],
        "income_minor": row["income_minor"],
        "region": row["region"],
    }
    return Explanation(
        run_id=run_id,
        scheme=scheme,
        credit_code=policy.credit_code,
        period=period,
        reference_on=policy.on,
        effective_on=effective_on,
        parameter_digest=policy.digest,
        facts=facts,
        needs=[need.criterion for need in needs],
        steps=steps(policy, row, needs, reason, amount_minor),
        amount_minor=amount_minor,
        reason=reason,
        expires_on=scheme_rules.expires_on(policy, effective_on) if amount_minor else None,
    )


def steps(
    policy: AllocationPolicy,
    row: Mapping[str, Any],
    needs: Sequence[NeedWeight],
    reason: Reason | None,
    amount_minor: int,
) -> list[Step]:
    """Return the steps of a line, in the order they are taken; the ineligible have one."""
    law = policy.references
    if row["ineligible"] is not None or reason is Reason.ALREADY_CREDITED:
        code = (reason or Reason(row["ineligible"])).value
        return [
            Step("eligibility", f"Not eligible on {policy.on}: {WORDS[Reason(code)]}.", code, _law_of(policy, code))
        ]
    result = [
        Step("eligibility", f"Eligible on {policy.on}, aged {row['age']}.", "eligible", law.get("min_age")),
        _base(policy, row, needs),
    ]
    if policy.prorata.mode is not ProrataMode.NONE:
        ratio = Decimal(row["ratio"]).normalize()
        result.append(
            Step("working_time", f"Share of working time that counts: {_plain(ratio)}.", ratio, law.get("prorata_mode"))
        )
    for need in needs:
        if need.effect is not Effect.SET_BASE:
            result.append(_need(need, row))
    weighted = Decimal(row["weighted"]).normalize()
    if any(need.effect is not Effect.SET_BASE for need in needs):
        words = f"After the needs: {_COMBINED[policy.combination]}"
        if policy.weight_cap is not None:
            words += f", at most {_plain(policy.weight_cap)} times the base"
        result.append(Step("weighted", f"{words}.", weighted, law.get("needs_combination")))
    result.append(
        Step(
            "rounded",
            _ROUNDED[policy.rounding],
            row["rounded_minor"],
            law.get("rounding_credit"),
        )
    )
    if row["ceiling_minor"] is not None:
        scope = "everything ever credited" if policy.ceiling.scope is CeilingScope.LIFETIME_ACCRUAL else "balance"
        result.append(Step("ceiling", "The most that may accumulate.", row["ceiling_minor"], law.get("ceiling_amount")))
        result.append(Step("counted", f"Counted against it: {scope}.", row["counted_minor"], law.get("ceiling_scope")))
        result.append(Step("room", "Room left under the ceiling.", row["room_minor"], law.get("on_ceiling")))
    words = f"Credited; {WORDS[reason]}." if reason else "Credited."
    result.append(Step("amount", words, amount_minor, None))
    return result


def _base(policy: AllocationPolicy, row: Mapping[str, Any], needs: Sequence[NeedWeight]) -> Step:
    for need in needs:
        if need.effect is Effect.SET_BASE and need.amount_minor == row["base_minor"]:
            return Step(
                "base",
                f"Base of the credit, set by {need.criterion.replace('_', ' ')}.",
                row["base_minor"],
                need.reference,
            )
    return Step("base", "Base of the credit.", row["base_minor"], policy.references.get("base_amount"))


def _need(need: NeedWeight, row: Mapping[str, Any]) -> Step:
    """Return the step of a need that adds or multiplies, with what it does for this citizen."""
    name, words = f"need.{need.criterion}", need.criterion.replace("_", " ")
    if need.effect is Effect.ADD:
        return Step(name, f"Because of {words}: an addition.", need.amount_minor, need.reference)
    factor = need.factor or Decimal(1)
    if need.taper is None:
        return Step(name, f"Because of {words}: a factor.", factor, need.reference)
    fact = row["income_minor"] if need.taper.fact == "income" else row["age"]
    bounds = [_fact_text(need.taper, bound) for bound in (need.taper.full_at, need.taper.none_at)]
    share = Fraction(0) if fact is None else scheme_rules.taper_share(need.taper, fact)
    effective = 1 + (Fraction(factor) - 1) * share
    return Step(
        name,
        f"Because of {words}: a factor; {_plain(factor)} at {need.taper.fact} {bounds[0]}, fading to 1 at {bounds[1]}.",
        Decimal(round_minor(effective * 10**SHOWN_DECIMALS)).scaleb(-SHOWN_DECIMALS).normalize(),
        need.reference,
    )


def _fact_text(taper: Taper, bound: int) -> str:
    """Return a bound of a taper as people write it; incomes are kept in cents."""
    return f"{decimal_from_minor(bound, INCOME_DECIMALS):,}" if taper.fact == "income" else str(bound)


SHOWN_DECIMALS = 6
"""Decimals of a faded factor in an explanation; the amount itself is computed without rounding it."""

INCOME_DECIMALS = 2

_COMBINED = {
    Combination.SUM: "what each adds is summed",
    Combination.MAX: "the one that gives most",
    Combination.SEQUENTIAL: "one after the other",
    Combination.PRIORITY: "the first in the order of the scheme",
}

_ROUNDED = {
    Rounding.CEIL: "Rounded up to the smallest unit.",
    Rounding.CEIL_INTEGER: "Rounded up to the whole unit.",
    Rounding.FLOOR: "Rounded down to the smallest unit.",
    Rounding.HALF_UP: "Rounded to the smallest unit, half goes up.",
}


def _plain(number: Decimal) -> str:
    return f"{number.normalize():f}"


WORDS: dict[Reason, str] = {
    Reason.CEILING: "lowered, because the ceiling leaves no more room",
    Reason.CLOSED: "the account is closed",
    Reason.AGE_OUT_OF_RANGE: "the age is outside the scheme's bounds",
    Reason.NOT_RESIDENT: "residence or work in the country is required",
    Reason.NOT_NATIONAL: "the scheme is for nationals",
    Reason.STATUS_NOT_COVERED: "the employment status is not covered",
    Reason.INCOME_TOO_LOW: "the income is not known or below the scheme's floor",
    Reason.INCOME_TOO_HIGH: "the income is not known or above the scheme's limit",
    Reason.QUALIFICATION_OUT_OF_RANGE: "the qualification is not known or outside the scheme's bounds",
    Reason.EXCLUDED: "an attested circumstance excludes",
    Reason.ALREADY_CREDITED: "this credit is given once, and has been",
    Reason.NO_WORK_RECORD: "there is no record of working time in the period",
    Reason.BELOW_MINIMUM: "the amount is below the smallest that is credited",
}
"""The reasons in plain English; the portal translates the codes."""

_LAW = {
    Reason.AGE_OUT_OF_RANGE: ("min_age", "max_age"),
    Reason.NOT_RESIDENT: ("residence_rule",),
    Reason.NOT_NATIONAL: ("nationality_rule",),
    Reason.STATUS_NOT_COVERED: ("statuses_allowed",),
    Reason.INCOME_TOO_LOW: ("income_floor",),
    Reason.INCOME_TOO_HIGH: ("income_ceiling",),
    Reason.QUALIFICATION_OUT_OF_RANGE: ("qualification_min", "qualification_max"),
    Reason.EXCLUDED: ("exclusions",),
    Reason.ALREADY_CREDITED: ("accrual_mode",),
    Reason.NO_WORK_RECORD: ("prorata_mode",),
}


def _law_of(policy: AllocationPolicy, code: str) -> str | None:
    names = _LAW.get(Reason(code), ())
    return next((policy.references[name] for name in names if name in policy.references), None)


def explanations_of(session: Session, citizen_id: int) -> list[Explanation]:
    """Explain everything that runs of credits gave a citizen, the newest first."""
    run_ids = session.scalars(
        select(AllocationRunRow.allocation_run_id)
        .where(
            AllocationRunRow.allocation_run_id.in_(queries.runs_of_citizen(citizen_id)),
            AllocationRunRow.kind.in_(GIVING),
        )
        .order_by(AllocationRunRow.allocation_run_id.desc())
    ).all()
    return [explain(session, citizen_id, run_id) for run_id in run_ids]
