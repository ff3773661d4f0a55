"""The schemes: their units, credits, funds and dated parameters with the law behind each value."""

from typing import Any

from marshmallow import Schema, fields

from ila import web
from ila.access.rules import Permission
from ila.api.fields import UnitSchema, described
from ila.api.parsing import Resource
from ila.schemes.parameters import ParameterSet
from ila.web.policies import policies, policy_of

blueprint = Resource("schemes", __name__, url_prefix="/api/v1", description="The rules, as dated data.")


class CodeTitleSchema(Schema):
    """A thing of a scheme, by its code."""

    code = fields.String(required=True)
    title = fields.String(required=True)


class FundSchema(CodeTitleSchema):
    """Who pays. A limited fund never gives more than was appropriated to it."""

    kind = fields.String(required=True)
    limited = fields.Boolean(required=True)


class ReferenceSchema(Schema):
    """A law or an official statement."""

    title = fields.String(required=True)
    url = fields.String(required=True, allow_none=True)
    published_on = fields.Date(required=True, allow_none=True)


class DatedValueSchema(Schema):
    """A value and the first day it is in force; it holds until the next one."""

    start = fields.Date(required=True)
    value = fields.Raw(required=True, metadata=described("Typed JSON; null where the parameter ends on this day."))
    references = fields.List(fields.Nested(ReferenceSchema), required=True)
    reason = fields.String(required=True, allow_none=True)


class ParameterSchema(Schema):
    """One parameter with everything it was, is and will be."""

    name = fields.String(required=True)
    credit_code = fields.String(
        required=True, allow_none=True, metadata=described("The credit it belongs to; null for the whole scheme.")
    )
    description = fields.String(required=True)
    unit = fields.String(required=True)
    values = fields.List(fields.Nested(DatedValueSchema), required=True)


class SchemeSummarySchema(UnitSchema):
    """A scheme in a list."""

    time_zone = fields.String(required=True)
    first_on = fields.Date(required=True)
    last_on = fields.Date(required=True, allow_none=True)
    credits = fields.List(fields.Nested(CodeTitleSchema), required=True)


class SchemesSchema(Schema):
    """Every scheme."""

    schemes = fields.List(fields.Nested(SchemeSummarySchema), required=True)


class SchemeSchema(SchemeSummarySchema):
    """A scheme with all its parameters."""

    digest = fields.String(required=True, metadata=described("SHA-256 over the canonical form of the parameters."))
    legal_basis = fields.List(fields.Nested(ReferenceSchema), required=True)
    funds = fields.List(fields.Nested(FundSchema), required=True)
    parameters = fields.List(fields.Nested(ParameterSchema), required=True)


@blueprint.route("/schemes")
@web.access(Permission.READ_SCHEMES)
@blueprint.response(200, SchemesSchema)
def list_schemes() -> dict[str, Any]:
    """List the schemes."""
    return {"schemes": policies()}


@blueprint.route("/schemes/<string:code>")
@web.access(Permission.READ_SCHEMES)
@blueprint.response(200, SchemeSchema)
def show_scheme(code: str) -> dict[str, Any]:
    """Show a scheme with every dated value and its legal reference."""
    return _scheme(policy_of(code))


def _scheme(parameters: ParameterSet) -> dict[str, Any]:
    canonical = parameters.canonical()
    names = ("code", "title", "unit", "minor_units", "time_zone", "first_on", "last_on", "credits", "funds")
    return {
        **{name: getattr(parameters, name) for name in names},
        "digest": parameters.digest.hex(),
        "legal_basis": parameters.legal_basis,
        "parameters": [
            {
                "name": parameter.name,
                "credit_code": parameter.credit_code,
                "description": parameter.description,
                "unit": parameter.unit,
                "values": [
                    {
                        "start": dated.start,
                        "value": stored["value"],
                        "references": dated.references,
                        "reason": dated.reason,
                    }
                    for dated, stored in zip(parameter.values, plain["values"], strict=True)
                ],
            }
            for parameter, plain in zip(parameters.parameters, canonical["parameters"], strict=True)
        ],
    }
