"""Why an amount is what it is, and what a balance may become."""

from datetime import date
from typing import Any

from marshmallow import Schema, fields, validate

from ila import allocations, clock, ledger, web
from ila.access.rules import Permission
from ila.allocations import Assumptions, Explanation
from ila.api.accounts import blueprint
from ila.api.fields import CODE, EXAMPLE_REFERENCE, LastDay, StepValue, UnitSchema, amount, described
from ila.api.parsing import Words, minor
from ila.errors import Invalid
from ila.schemes.policy import EmploymentStatus
from ila.web.accounts import account_of, forecasts_of, schemes_of
from ila.web.policies import policies, policy_of

LONGEST_FORECAST_YEARS = 60


class ForecastTooLong(Invalid):
    """A forecast is asked for a day that has passed or lies further ahead than a working life."""

    code = "forecast_out_of_range"


class StepSchema(Schema):
    """One step: its result is minor units (a number), a ratio (text) or a word (text)."""

    name = fields.String(required=True, metadata=described("Stable name, such as base, need.disabled, ceiling."))
    text = fields.String(required=True)
    value = StepValue(required=True, allow_none=True, metadata={"type": ["integer", "string", "null"]})
    reference = fields.String(required=True, allow_none=True, metadata=described("The law behind the step."))


class ExplanationSchema(Schema):
    """What a run gave an account, or why it gave nothing: the facts as known then, and each step."""

    account = fields.String(required=True, metadata={"example": EXAMPLE_REFERENCE})
    run_id = fields.Integer(required=True)
    scheme = fields.Nested(UnitSchema, required=True)
    credit = fields.String(required=True)
    period = fields.String(required=True)
    reference_on = fields.Date(required=True, metadata=described("Facts and rules of this day decided."))
    effective_on = fields.Date(required=True)
    parameter_digest = fields.String(required=True, metadata=described("SHA-256 of the rules that decided."))
    facts = fields.Dict(required=True, metadata=described("The circumstances as they were known."))
    needs = fields.List(fields.String(), required=True)
    steps = fields.List(fields.Nested(StepSchema), required=True)
    amount_minor = amount("What was credited.")
    reason = fields.String(required=True, allow_none=True, metadata=described("Why nothing, or less, was credited."))
    expires_on = LastDay(required=True, allow_none=True)


class EventSchema(Schema):
    """An expected event and the balance after it."""

    on = fields.Date(required=True)
    kind = fields.String(required=True, metadata=described("credit, expiry, use or end."))
    amount_minor = amount("Signed.")
    balance_minor = amount("Balance after it.")
    note = fields.String(required=True)


class CreditForecastSchema(Schema):
    """What may become of one credit of a scheme."""

    scheme = fields.Nested(UnitSchema, required=True)
    credit = fields.String(required=True)
    balance_minor = amount("The balance it starts from.")
    events = fields.List(fields.Nested(EventSchema), required=True)
    ceiling_met_on = fields.Date(
        required=True, allow_none=True, metadata=described("The first day the ceiling cuts a credit.")
    )
    ends_on = fields.Date(required=True, allow_none=True, metadata=described("From when on nothing is credited."))


class AssumptionsSchema(Schema):
    """What the forecast takes for granted; null leaves the facts as they are known."""

    years = fields.Integer(required=True)
    spent_minor_a_year = amount("Assumed use of each year.")
    employment_status = fields.String(required=True, allow_none=True)
    income_minor = fields.Integer(required=True, allow_none=True)
    qualification_level = fields.Integer(required=True, allow_none=True)
    needs_added = fields.List(fields.String(), required=True)
    needs_ended = fields.List(fields.String(), required=True)


class ForecastSchema(Schema):
    """Arithmetic over the rules and facts of today; it promises nothing."""

    account = fields.String(required=True, metadata={"example": EXAMPLE_REFERENCE})
    assumptions = fields.Nested(AssumptionsSchema, required=True)
    forecasts = fields.List(fields.Nested(CreditForecastSchema), required=True)


class ForecastQuery(Schema):
    """How far to look, and what to assume. Without assumptions the facts of today go on."""

    scheme = fields.String(
        validate=validate.Regexp(CODE),
        metadata=described("Only this one; else those the account holds something of."),
    )
    until = fields.Date(metadata=described("The last day to look at; the default is a setting."))
    spent_minor_a_year = minor(load_default=0, metadata=described("Assumed use of each year, in minor units."))
    employment_status = fields.Enum(EmploymentStatus, by_value=True)
    income_minor = minor()
    qualification_level = fields.Integer(validate=validate.Range(0, 8))
    needs_added = Words(load_default=list, metadata=described("Criteria that would hold, with commas between."))
    needs_ended = Words(load_default=list, metadata=described("Criteria that would end."))


@blueprint.route("/accounts/<string:reference>/entitlements/<int:run_id>/explanation")
@web.access(Permission.READ_OWN_ACCOUNT)
@blueprint.response(200, ExplanationSchema)
def explain(reference: str, run_id: int) -> dict[str, Any]:
    """Explain an amount step by step: the same steps years later, whatever was corrected since."""
    account = account_of(reference)
    found = allocations.explain(web.read_session(), account.citizen_id, run_id)
    return {"account": account.reference, **_explained(found)}


def _explained(found: Explanation) -> dict[str, Any]:
    names = (
        "run_id",
        "scheme",
        "period",
        "reference_on",
        "effective_on",
        "needs",
        "steps",
        "amount_minor",
        "expires_on",
    )
    return {name: getattr(found, name) for name in names} | {
        "credit": found.credit_code,
        "parameter_digest": found.parameter_digest.hex(),
        "facts": dict(found.facts),
        "reason": found.reason.value if found.reason else None,
    }


@blueprint.route("/accounts/<string:reference>/forecast")
@web.access(Permission.READ_OWN_ACCOUNT)
@blueprint.query(ForecastQuery)
@blueprint.response(200, ForecastSchema)
def show_forecast(query: dict[str, Any], reference: str) -> dict[str, Any]:
    """Forecast credits, expiries and the day the ceiling is met, under stated assumptions."""
    session = web.read_session()
    account = account_of(reference)
    if "scheme" in query:
        wanted = [policy_of(query["scheme"])]
    else:
        held = {each.code for each in schemes_of(ledger.entitlements_of(session, account.citizen_id)).values()}
        wanted = [parameters for parameters in policies() if parameters.code in held]
    assumptions = _assumptions(query)
    found = [
        forecast for parameters in wanted for forecast in forecasts_of(account.citizen_id, parameters, assumptions)
    ]
    return {
        "account": account.reference,
        "assumptions": {
            "years": assumptions.years,
            "spent_minor_a_year": assumptions.spent_minor_a_year,
            "employment_status": assumptions.employment_status and assumptions.employment_status.value,
            "income_minor": assumptions.income_minor,
            "qualification_level": assumptions.qualification_level,
            "needs_added": sorted(assumptions.needs_added),
            "needs_ended": sorted(assumptions.needs_ended),
        },
        "forecasts": [
            {
                "scheme": each.scheme,
                "credit": each.credit_code,
                "balance_minor": each.balance_minor,
                "events": each.events,
                "ceiling_met_on": each.ceiling_met_on,
                "ends_on": each.ends_on,
            }
            for each in found
        ],
    }


def _assumptions(query: dict[str, Any]) -> Assumptions:
    years = web.settings().forecast_years
    if "until" in query:
        years = _years_until(query["until"])
    return Assumptions(
        years=years,
        spent_minor_a_year=query["spent_minor_a_year"],
        employment_status=query.get("employment_status"),
        income_minor=query.get("income_minor"),
        qualification_level=query.get("qualification_level"),
        needs_added=frozenset(query["needs_added"]),
        needs_ended=frozenset(query["needs_ended"]),
    )


def _years_until(until: date) -> int:
    years = until.year - clock.now().year
    if not 1 <= years <= LONGEST_FORECAST_YEARS:
        raise ForecastTooLong(
            f"A forecast looks 1 to {LONGEST_FORECAST_YEARS} years ahead; {until} is outside.",
            errors=[{"parameter": "until", "detail": "Outside of what can be forecast."}],
        )
    return years
