"""The statement of an account: every line that came or went, with the balance after it."""

from collections.abc import Sequence
from typing import Any

from flask import Response
from marshmallow import Schema, fields, validate

from ila import allocations, ledger, schemes, web
from ila.access.rules import Permission
from ila.api.accounts import TAG_HEADER, blueprint
from ila.api.fields import EXAMPLE_REFERENCE, LastDay, amount, described
from ila.api.paging import DEFAULT_LIMIT, LARGEST_LIMIT, Cursor, cursor_of, links
from ila.api.tags import tagged
from ila.ledger.chart import AccountKind
from ila.web.accounts import account_of


class StatementLineSchema(Schema):
    """One line: money that came is positive, money that went negative; the balance is that of its scheme after it."""

    entry_id = fields.Integer(required=True, metadata=described("Entry of the journal: booking year, then a number."))
    line = fields.Integer(required=True)
    scheme = fields.String(required=True)
    kind = fields.String(required=True, metadata=described("allocation, expiry, reserve, settle, reversal and others."))
    effective_on = fields.Date(required=True, metadata=described("The day it counts."))
    recorded_at = fields.AwareDateTime(required=True)
    run_id = fields.Integer(required=True, metadata=described("The entitlement it moved."))
    credit = fields.String(required=True)
    period = fields.String(required=True)
    counterpart = fields.String(required=True, metadata=described("Kind of the account on the other side."))
    amount_minor = amount("Signed.")
    balance_minor = amount("Running balance of the scheme.")
    expires_on = LastDay(required=True, allow_none=True)


class StatementSchema(Schema):
    """A page of a statement, in the order the lines were booked."""

    account = fields.String(required=True, metadata={"example": EXAMPLE_REFERENCE})
    lines = fields.List(fields.Nested(StatementLineSchema), required=True)
    next = fields.String(required=True, allow_none=True, metadata=described("Cursor of the lines that follow."))
    prev = fields.String(required=True, allow_none=True, metadata=described("Cursor of the lines before."))


class StatementQuery(Schema):
    """Which lines."""

    scheme = fields.String(metadata=described("Only this scheme.", example="eu_model"))
    cursor = fields.String(metadata=described("A cursor that another page gave."))
    limit = fields.Integer(load_default=DEFAULT_LIMIT, validate=validate.Range(1, LARGEST_LIMIT))


@blueprint.route("/accounts/<string:reference>/statement")
@web.access(Permission.READ_OWN_ACCOUNT)
@blueprint.query(StatementQuery)
@blueprint.response(200, StatementSchema, headers={**TAG_HEADER, "Link": {"schema": {"type": "string"}}})
def show_statement(query: dict[str, Any], reference: str) -> Response:
    """List what came and went, in the order it was booked, each line with the balance after it."""
    account = account_of(reference)
    cursor = cursor_of(query.get("cursor"), length=2)

    def content() -> tuple[dict[str, Any], dict[str, str]]:
        page, more = _page(account.citizen_id, query.get("scheme"), cursor, query["limit"])
        keys = [(line.journal_entry_id, line.line) for line in page]
        neighbours = links(keys[0] if keys else None, keys[-1] if keys else None, cursor, more=more)
        shown = {"account": account.reference, "lines": _shown(page), "next": neighbours.next, "prev": neighbours.prev}
        return shown, {"Link": neighbours.header()} if neighbours.header() else {}

    return tagged(account, StatementSchema(), content)


def _page(
    citizen_id: int, scheme_code: str | None, cursor: Cursor | None, limit: int
) -> tuple[Sequence[ledger.StatementLine], bool]:
    """Return the lines of a page, and whether there are more beyond it in the direction of reading."""
    session = web.read_session()
    scheme_id = schemes.scheme_of_code(session, scheme_code).scheme_id if scheme_code else None
    position = (cursor.key[0], cursor.key[1]) if cursor else None
    if cursor is not None and cursor.backwards:
        lines = ledger.statement(session, citizen_id, scheme_id=scheme_id, before=position, limit=limit + 1)
        return lines[-limit:], len(lines) > limit
    lines = ledger.statement(session, citizen_id, scheme_id=scheme_id, after=position, limit=limit + 1)
    return lines[:limit], len(lines) > limit


def _shown(page: Sequence[ledger.StatementLine]) -> list[dict[str, Any]]:
    session = web.read_session()
    codes = {scheme.scheme_id: scheme.code for scheme in schemes.all_schemes(session)}
    titles = allocations.run_titles(session, [line.allocation_run_id for line in page])
    return [
        {
            "entry_id": line.journal_entry_id,
            "line": line.line,
            "scheme": codes[line.scheme_id],
            "kind": line.kind.name.lower(),
            "effective_on": line.effective_on,
            "recorded_at": line.recorded_at,
            "run_id": line.allocation_run_id,
            "credit": titles[line.allocation_run_id].credit_code,
            "period": titles[line.allocation_run_id].period,
            "counterpart": (
                line.debit if line.credit.kind is AccountKind.ENTITLEMENT else line.credit
            ).kind.name.lower(),
            "amount_minor": line.amount_minor,
            "balance_minor": line.balance_minor,
            "expires_on": line.expires_on,
        }
        for line in page
    ]
