"""One account: balance and entitlements. Whose account it is, the reference tells; never an internal id."""

from datetime import date
from typing import Any

from flask import Response
from marshmallow import Schema, fields

from ila import allocations, clock, ledger, schemes, web
from ila.access.rules import Permission
from ila.api.fields import EXAMPLE_REFERENCE, LastDay, UnitSchema, amount, described
from ila.api.parsing import Resource
from ila.api.tags import tagged
from ila.errors import Invalid
from ila.web.accounts import account_of, schemes_of

blueprint = Resource(
    "accounts", __name__, url_prefix="/api/v1", description="What a citizen has, why, and what may become of it."
)


TAG_HEADER = {"ETag": {"schema": {"type": "string"}, "description": "Strong; send it back as If-None-Match."}}


class DayPassed(Invalid):
    """A balance is asked for a day that has passed."""

    code = "day_passed"


class NextExpirySchema(Schema):
    """What expires next."""

    on = fields.Date(required=True, metadata=described("The last day it can be used."))
    amount_minor = amount("How much of the balance ends then.")


class SchemeBalanceSchema(Schema):
    """The balance under one scheme. Units of two schemes never mix."""

    scheme = fields.Nested(UnitSchema, required=True)
    on = fields.Date(required=True, metadata=described("In the zone of the scheme."))
    available_minor = amount("What can be used on that day.")
    next_expiry = fields.Nested(NextExpirySchema, required=True, allow_none=True)


class BalanceSchema(Schema):
    """The balance of an account, one line for each scheme it ever held something of."""

    account = fields.String(required=True, metadata={"example": EXAMPLE_REFERENCE})
    closed = fields.Boolean(required=True)
    frozen = fields.Boolean(required=True, metadata=described("While true, nothing can be spent."))
    balances = fields.List(fields.Nested(SchemeBalanceSchema), required=True)


class BalanceQuery(Schema):
    """For which day."""

    on = fields.Date(metadata=described("Today or a later day: what is there now and can still be used then."))


class EntitlementSchema(Schema):
    """What one run granted, and what is left of it."""

    run_id = fields.Integer(required=True, metadata=described("The run that granted it; explains it."))
    scheme = fields.String(required=True)
    credit = fields.String(required=True)
    period = fields.String(required=True)
    source = fields.String(required=True, metadata=described("accrual, contribution, return or conversion."))
    fund = fields.String(required=True, metadata=described("Who paid."))
    effective_on = fields.Date(required=True, metadata=described("The day it counts from."))
    granted_minor = amount("What was granted; it never changes.")
    available_minor = amount("What is left.")
    expires_on = LastDay(required=True, allow_none=True, metadata=described("The last usable day; null: never."))
    usable = fields.Boolean(required=True, metadata=described("Something is left, and its last day has not passed."))


class EntitlementsSchema(Schema):
    """Every entitlement of an account, in the order in which they are spent."""

    account = fields.String(required=True, metadata={"example": EXAMPLE_REFERENCE})
    entitlements = fields.List(fields.Nested(EntitlementSchema), required=True)


@blueprint.route("/accounts/<string:reference>/balance")
@web.access(Permission.READ_OWN_ACCOUNT)
@blueprint.query(BalanceQuery)
@blueprint.response(200, BalanceSchema, headers=TAG_HEADER)
def show_balance(query: dict[str, Any], reference: str) -> Response:
    """Show what can be used, under each scheme."""
    account = account_of(reference)

    def content() -> tuple[dict[str, Any], dict[str, str]]:
        held = ledger.entitlements_of(web.read_session(), account.citizen_id)
        shown = {
            "account": account.reference,
            "closed": account.closed_on is not None,
            "frozen": account.frozen_at is not None,
            "balances": [
                _balance(scheme, [each for each in held if each.scheme_id == scheme_id], query.get("on"))
                for scheme_id, scheme in schemes_of(held).items()
            ],
        }
        return shown, {}

    return tagged(account, BalanceSchema(), content)


def _balance(scheme: schemes.Scheme, held: list[ledger.Entitlement], asked_on: date | None) -> dict[str, Any]:
    today = clock.today(scheme.time_zone)
    on = asked_on or today
    if on < today:
        raise DayPassed(
            f"{on} has passed; the statement tells what was there then.",
            errors=[{"parameter": "on", "detail": "Lies in the past."}],
        )
    usable = [each for each in held if each.expires_on >= on and each.available_minor]
    next_on = min((each.expires_on for each in usable if each.expires_on < clock.NEVER), default=None)
    expiring_minor = sum(each.available_minor for each in usable if each.expires_on == next_on)
    return {
        "scheme": scheme,
        "on": on,
        "available_minor": sum(each.available_minor for each in usable),
        "next_expiry": {"on": next_on, "amount_minor": expiring_minor} if next_on else None,
    }


@blueprint.route("/accounts/<string:reference>/entitlements")
@web.access(Permission.READ_OWN_ACCOUNT)
@blueprint.response(200, EntitlementsSchema, headers=TAG_HEADER)
def list_entitlements(reference: str) -> Response:
    """List every entitlement with what is left and until when; used up and expired ones too."""
    account = account_of(reference)

    def content() -> tuple[dict[str, Any], dict[str, str]]:
        session = web.read_session()
        held = ledger.entitlements_of(session, account.citizen_id)
        known = schemes_of(held)
        titles = allocations.run_titles(session, [each.allocation_run_id for each in held])
        funds = {fund.fund_id: fund.code for scheme_id in known for fund in schemes.funds_of(session, scheme_id)}
        shown = [
            _entitlement(each, known[each.scheme_id], titles[each.allocation_run_id], funds[each.fund_id])
            for each in held
        ]
        return {"account": account.reference, "entitlements": shown}, {}

    return tagged(account, EntitlementsSchema(), content)


def _entitlement(
    held: ledger.Entitlement, scheme: schemes.Scheme, run: allocations.RunTitle, fund: str
) -> dict[str, Any]:
    return {
        "run_id": held.allocation_run_id,
        "scheme": scheme.code,
        "credit": run.credit_code,
        "period": run.period,
        "source": held.source.name.lower(),
        "fund": fund,
        "effective_on": run.effective_on,
        "granted_minor": held.granted_minor,
        "available_minor": held.available_minor,
        "expires_on": held.expires_on,
        "usable": bool(held.available_minor) and held.expires_on >= clock.today(scheme.time_zone),
    }
