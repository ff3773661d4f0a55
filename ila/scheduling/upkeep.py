"""What the tables of a finished run need: visible rows marked and counted, so that what follows is planned well."""

import logging
from collections.abc import Sequence

from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from ila.db.session import WriteSessions

TABLES = ("entitlement", "allocation", "transfer", "journal_entry")

log = logging.getLogger(__name__)

_MAY = text(
    """
    SELECT relname FROM pg_class
    WHERE relnamespace = 'ila'::regnamespace AND relname = ANY(:tables) AND pg_has_role(relowner, 'USAGE')
    ORDER BY relname
    """
)


def after_run(sessions: WriteSessions) -> Sequence[str]:
    """Vacuum and analyse the tables that a run fills, where the role may; return those.

    Only an owner may. For any other role autovacuum does the same a little later: nothing but a line in the log says
    so, and no fault here concerns the run, which is finished.
    """
    engine = sessions.kw["bind"]
    if not isinstance(engine, Engine):
        raise TypeError("upkeep needs sessions that are bound to an engine")
    try:
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            allowed = connection.scalars(_MAY, {"tables": list(TABLES)}).all()
            for name in allowed:
                connection.execute(text(f"VACUUM (FREEZE, ANALYZE) ila.{name}"))
    except (DBAPIError, PoolTimeout) as error:
        log.warning("upkeep after the run was not done: %s", str(error).splitlines()[0])
        return []
    left = sorted(set(TABLES) - set(allowed))
    if left:
        log.info("upkeep of %s is left to autovacuum: the role does not own them", ", ".join(left))
    return allowed
