"""How runs, plans, explanations and forecasts look on a terminal. Amounts stand in their unit, never in minor units."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from ila.cli import output
from ila.money import decimal_from_minor

if TYPE_CHECKING:
    from ila.allocations import Explanation, Forecast, Run

BAR_WIDTH = 40
WITHOUT_NEED = "none of these needs"
AMOUNT_STEPS = frozenset({"base", "rounded", "ceiling", "counted", "room", "amount"})
"""Steps of an explanation whose value is an amount in minor units; additions of needs are too."""


def amount(amount_minor: int | None, unit: Mapping[str, Any]) -> str:
    """Return an amount in its unit; `unit` has `unit` and `minor_units`, as a plan has."""
    if amount_minor is None:
        return ""
    return f"{decimal_from_minor(amount_minor, unit['minor_units']):,} {unit['unit']}"


def unit_of(run: "Run") -> dict[str, Any]:
    """Return unit and minor units of a run's scheme."""
    return {"unit": run.scheme.unit, "minor_units": run.scheme.minor_units}


def run_json(run: "Run") -> dict[str, Any]:
    """Return a run as JSON values; amounts are decimal text in the unit of the scheme."""
    unit = run.scheme.minor_units
    return {
        "run": run.run_id,
        "scheme": run.scheme.code,
        "unit": run.scheme.unit,
        "fund": run.fund.code,
        "kind": run.kind.value,
        "credit": run.credit_code,
        "period": run.period,
        "state": run.state.value,
        "reference_on": run.reference_on,
        "effective_on": run.effective_on,
        "parameter_digest": run.parameter_digest.hex() if run.parameter_digest else None,
        "plan_digest": run.plan_digest.hex() if run.plan_digest else None,
        "opened_by": run.opened_by,
        "opened_at": run.opened_at,
        "approved_by": run.approved_by,
        "approved_at": run.approved_at,
        "started_at": run.started_at,
        "finished_at": run.finished_at,
        "reverses_run": run.reverses_run_id,
        "failure": run.failure,
        "plan": plan_json(run.plan),
        "progress": {
            "slices": run.progress.slices,
            "slices_done": run.progress.slices_done,
            "credited": run.progress.credited,
            "not_credited": run.progress.not_credited,
            "amount": str(decimal_from_minor(run.progress.amount_minor, unit)),
        },
    }


def plan_json(value: Any, minor_units: int | None = None) -> Any:
    """Return a plan with each `<name>_minor` as `<name>`, decimal text in the unit of the scheme."""
    if isinstance(value, Mapping):
        decimals = value.get("minor_units", minor_units)
        return {
            name.removesuffix("_minor"): str(decimal_from_minor(each, decimals))
            if name.endswith("_minor") and isinstance(each, int) and decimals is not None
            else plan_json(each, decimals)
            for name, each in value.items()
        }
    if isinstance(value, list):
        return [plan_json(each, minor_units) for each in value]
    return value


def show_runs(runs: Sequence["Run"]) -> None:
    """Write a table of runs."""
    output.table(
        ["Run", "Scheme", "Kind", "Credit", "Period", "State", "Slices", "Credited", "Amount", "Opened"],
        [
            [
                str(run.run_id),
                run.scheme.code,
                run.kind.value,
                run.credit_code,
                run.period,
                run.state.value,
                f"{run.progress.slices_done}/{run.progress.slices}" if run.progress.slices else "",
                run.progress.credited,
                amount(run.progress.amount_minor, unit_of(run)),
                f"{run.opened_at:%Y-%m-%d %H:%M}",
            ]
            for run in runs
        ],
        right=["Slices", "Credited", "Amount"],
    )


def show_run(run: "Run") -> None:
    """Write everything about a run: where it stands, who did what, and its plan."""
    facts: list[tuple[str, object]] = [
        ("Scheme", f"{run.scheme.code}: {run.scheme.title}"),
        (
            "What",
            f"{run.kind.value} run" + (f" of {run.credit_code}" if run.credit_code else "") + f" for {run.period}",
        ),
        ("State", run.state.value),
        ("Fund", run.fund.code),
        ("Reference day, day of credit", f"{run.reference_on}, {run.effective_on}"),
        ("Opened", f"{run.opened_at:%Y-%m-%d %H:%M} UTC by user {run.opened_by}" if run.opened_by else "by the clock"),
    ]
    if run.approved_at is not None:
        facts.append(("Approved", f"{run.approved_at:%Y-%m-%d %H:%M} UTC by user {run.approved_by}"))
    if run.reverses_run_id is not None:
        facts.append(("Takes back run", str(run.reverses_run_id)))
    if run.progress.slices:
        done = run.progress
        facts.append(("Slices", f"{done.slices_done} of {done.slices}"))
        facts.append(("Credited so far", f"{done.credited:,} citizens, {amount(done.amount_minor, unit_of(run))}"))
        facts.append(("With nothing so far", f"{done.not_credited:,} citizens"))
    if run.failure:
        facts.append(("Failure", run.failure))
    output.table([f"Run {run.run_id}", ""], facts)
    if run.plan is not None:
        show_plan(run.plan)
    if run.plan_digest is not None:
        output.say(f"Plan {run.plan_digest.hex()}")


def show_plan(plan: Mapping[str, Any]) -> None:
    """Write what a run would give: totals, the fund, last time, reasons, needs, regions and the distribution."""
    _totals(plan)
    _table_of_counts("Who would get nothing, and why", plan.get("reasons", {}), "Reason")
    groups = dict(plan.get("needs", {}))
    if groups:
        groups[WITHOUT_NEED] = plan["without_need"]
        _table_of_groups("By need; who has several is counted under each", "Need", groups, plan)
    _table_of_groups("By region", "Region", plan.get("regions", {}), plan)
    _distribution(plan)


def _totals(plan: Mapping[str, Any]) -> None:
    before = plan.get("previous") or {}
    rows: list[list[object]] = [
        ["Citizens considered", plan["citizens"], before.get("citizens")],
        ["Citizens credited", plan["credited"], before.get("credited")],
        ["Amount", amount(plan["amount_minor"], plan), amount(before.get("amount_minor"), plan)],
        ["Lowered by the ceiling" if "spent_minor" not in plan else "Nothing left to take back", plan["lowered"],
         before.get("lowered")],
    ]  # fmt: skip
    if "spent_minor" in plan:
        rows.append(["Spent already, stays", amount(plan["spent_minor"], plan), None])
    last = f"Run {before['run_id']} for {before['period']}" if before else "No earlier run"
    output.say(
        f"{plan['scheme']} {plan['credit_code']} for {plan['period']}, facts and rules of {plan['reference_on']}"
    )
    output.table(["", "This run", last], rows, right=["This run", last])
    if plan.get("fund_available_minor") is None:
        output.say(f"The fund {plan['fund']} has no limit.")
    elif plan["shortfall_minor"]:
        output.say(
            f"The fund {plan['fund']} holds {amount(plan['fund_available_minor'], plan)}:"
            f" {amount(plan['shortfall_minor'], plan)} ARE MISSING. The plan cannot be approved before they are there."
        )
    else:
        left_minor = plan["fund_available_minor"] - plan["amount_minor"]
        output.say(
            f"The fund {plan['fund']} holds {amount(plan['fund_available_minor'], plan)};"
            f" {amount(left_minor, plan)} would be left."
            if "spent_minor" not in plan
            else f"The fund {plan['fund']} holds {amount(plan['fund_available_minor'], plan)}."
        )


def _table_of_counts(title: str, counts: Mapping[str, int], name: str) -> None:
    if counts:
        ordered = sorted(counts.items(), key=lambda each: -each[1])
        output.say(title)
        output.table([name, "Citizens"], [[key, count] for key, count in ordered], right=["Citizens"])


def _table_of_groups(title: str, name: str, groups: Mapping[str, Mapping[str, int]], plan: Mapping[str, Any]) -> None:
    if not groups:
        return
    rows = []
    for key, group in sorted(groups.items(), key=lambda each: -each[1]["citizens"]):
        if not group["citizens"]:
            continue
        mean = amount(group["amount_minor"] // group["credited"], plan) if group["credited"] else ""
        rows.append([key, group["citizens"], group["credited"], amount(group["amount_minor"], plan), mean])
    columns = [name, "Citizens", "Credited", "Amount", "Mean"]
    output.say(title)
    output.table(columns, rows, right=columns[1:])


def _distribution(plan: Mapping[str, Any]) -> None:
    bars = plan.get("histogram", [])
    if not bars:
        return
    most = max(bar["credited"] for bar in bars)
    rows = []
    for bar in bars:
        until_minor = bar["from_minor"] + plan["histogram_step_minor"]
        span = f"{decimal_from_minor(bar['from_minor'], plan['minor_units']):,} to below {amount(until_minor, plan)}"
        rows.append([span, bar["credited"], "█" * max(1, bar["credited"] * BAR_WIDTH // most)])
    output.say("Distribution")
    output.table(["Amount", "Citizens", ""], rows, right=["Amount", "Citizens"])


def explanation_json(explained: "Explanation") -> dict[str, Any]:
    """Return an explanation as JSON values; amounts are decimal text in the unit of the scheme."""
    decimals = explained.scheme.minor_units
    return {
        "run": explained.run_id,
        "scheme": explained.scheme.code,
        "unit": explained.scheme.unit,
        "credit": explained.credit_code,
        "period": explained.period,
        "reference_on": explained.reference_on,
        "effective_on": explained.effective_on,
        "parameter_digest": explained.parameter_digest.hex(),
        "facts": plan_json(dict(explained.facts), 2),
        "needs": list(explained.needs),
        "steps": [
            {
                "name": step.name,
                "text": step.text,
                "value": _step_json(step, decimals),
                "reference": step.reference,
            }
            for step in explained.steps
        ],
        "amount": str(decimal_from_minor(explained.amount_minor, decimals)),
        "reason": explained.reason.value if explained.reason else None,
        "expires_on": explained.expires_on,
    }


def _fact_word(value: object) -> object:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "not known" if value is None else value


def show_explanation(explained: "Explanation") -> None:
    """Write the facts used, each step with its result and law, and the result."""
    unit = {"unit": explained.scheme.unit, "minor_units": explained.scheme.minor_units}
    known = plan_json(dict(explained.facts), 2)
    facts = [[name.replace("_", " "), _fact_word(value)] for name, value in known.items()]
    facts.append(["needs", ", ".join(explained.needs) or "none"])
    given = f"by run {explained.run_id}" if explained.run_id else "as a run of today would give it"
    output.say(f"{explained.scheme.title}, {explained.credit_code} for {explained.period}, {given}")
    output.table(["Fact", f"On {explained.reference_on}"], facts)
    output.table(
        ["Step", "What it says", "Result", "Law"],
        [[step.name, step.text, _step_value(step, unit), step.reference] for step in explained.steps],
        right=["Result"],
    )
    until = (
        f", usable until {explained.expires_on}" if explained.expires_on and explained.expires_on.year < 9999 else ""
    )
    if explained.reason and not explained.amount_minor:
        output.say(f"Nothing is credited: {explained.steps[-1].text}")
    else:
        output.say(f"Credited on {explained.effective_on}: {amount(explained.amount_minor, unit)}{until}.")


def _step_json(step: Any, decimals: int) -> Any:
    return str(decimal_from_minor(step.value, decimals)) if _is_amount(step) else step.value


def _is_amount(step: Any) -> bool:
    whole = isinstance(step.value, int) and not isinstance(step.value, bool)
    return whole and (step.name in AMOUNT_STEPS or step.name.startswith("need."))


def _step_value(step: Any, unit: Mapping[str, Any]) -> str:
    if _is_amount(step):
        return amount(step.value, unit)
    if step.name == "weighted" and isinstance(step.value, Decimal):
        return f"{step.value.scaleb(-unit['minor_units']).normalize():f} {unit['unit']}"
    return "" if step.value is None else f"{step.value}"


def forecast_json(forecast: "Forecast") -> dict[str, Any]:
    """Return a forecast as JSON values; amounts are decimal text in the unit of the scheme."""
    decimals = forecast.scheme.minor_units
    return {
        "scheme": forecast.scheme.code,
        "unit": forecast.scheme.unit,
        "credit": forecast.credit_code,
        "balance": str(decimal_from_minor(forecast.balance_minor, decimals)),
        "events": [
            {
                "on": event.on,
                "kind": event.kind,
                "amount": str(decimal_from_minor(event.amount_minor, decimals)),
                "balance": str(decimal_from_minor(event.balance_minor, decimals)),
                "note": event.note,
            }
            for event in forecast.events
        ],
        "ceiling_met_on": forecast.ceiling_met_on,
        "ends_on": forecast.ends_on,
        "ends_because": forecast.ends_because.value if forecast.ends_because else None,
    }


def show_forecast(forecast: "Forecast") -> None:
    """Write the expected events with the running balance, and what they come to."""
    unit = {"unit": forecast.scheme.unit, "minor_units": forecast.scheme.minor_units}
    held = amount(forecast.balance_minor, unit)
    output.say(f"{forecast.scheme.title}, {forecast.credit_code}: {held} today")
    output.table(
        ["Day", "What", "Amount", "Balance after", "Note"],
        [
            [str(event.on), event.kind, amount(event.amount_minor, unit), amount(event.balance_minor, unit), event.note]
            for event in forecast.events
        ],
        right=["Amount", "Balance after"],
    )
    for sentence in _ends_of(forecast):
        output.say(sentence)
    output.say("A forecast takes today's rules and the facts and assumptions given; it promises nothing.")


def _ends_of(forecast: "Forecast") -> Iterable[str]:
    if forecast.ceiling_met_on is not None:
        yield f"The ceiling first lowers the credit on {forecast.ceiling_met_on}."
    if forecast.ends_on is not None and forecast.ends_because is not None:
        yield f"From {forecast.ends_on} on nothing more is credited ({forecast.ends_because.value})."
    elif forecast.ends_on is not None:
        yield f"The scheme has no rules for {forecast.ends_on} and later."
