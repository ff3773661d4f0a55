"""Who is asking, and what they may do."""

from typing import Any

from marshmallow import Schema, fields

from ila import citizens, web
from ila.access.rules import GRANTS, Permission
from ila.api.fields import EXAMPLE_REFERENCE, described
from ila.api.parsing import Resource

blueprint = Resource("me", __name__, url_prefix="/api/v1", description="Who is asking, and what they may do.")


class MeSchema(Schema):
    """The holder of the token."""

    name = fields.String(required=True, metadata=described("User name; `citizen` for the holder of an account."))
    role = fields.String(required=True)
    account = fields.String(
        required=True,
        allow_none=True,
        metadata=described("Reference of the one account a citizen's token reads.", example=EXAMPLE_REFERENCE),
    )
    permissions = fields.List(fields.String(), required=True)


@blueprint.route("/me")
@web.access(Permission.READ_SCHEMES)
@blueprint.response(200, MeSchema)
def me() -> dict[str, Any]:
    """Tell who holds the token and what they may do."""
    actor = web.actor()
    if actor.role is None:
        raise AssertionError("the holder of a token has a role")
    own = citizens.reference_of(web.read_session(), actor.citizen_id) if actor.citizen_id else None
    return {
        "name": actor.name,
        "role": actor.role.value,
        "account": own,
        "permissions": sorted(permission.value for permission in GRANTS[actor.role]),
    }
