"""The few advisory locks, all of them bound to a transaction so that they pass through a pooler.

Facts about citizens carry the number of the change that recorded them. A reader that pins "everything known now"
must not be passed by a change that took its number earlier and commits later: changes hold `FACTS` shared, a pin
takes it exclusively, so a pin waits for the changes under way and every later change gets a higher number.
"""

from sqlalchemy import func, select, text

from ila.db.session import WriteSession

FACTS = 0x11A_FAC7
"""Key of the lock between changes of facts (shared) and pins (exclusive)."""


def begin_fact_change(session: WriteSession) -> int:
    """Join the changes under way and return this change's number, higher than every pin taken before."""
    session.execute(select(func.pg_advisory_xact_lock_shared(FACTS)))
    return _next_number(session)


def pin_facts(session: WriteSession) -> int:
    """Wait for the changes under way and return a number that is above them and below every later change."""
    session.execute(select(func.pg_advisory_xact_lock(FACTS)))
    return _next_number(session)


def _next_number(session: WriteSession) -> int:
    return int(session.execute(text("SELECT nextval('ila.fact_change_seq')")).scalar_one())
