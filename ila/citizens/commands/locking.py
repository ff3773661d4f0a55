"""The citizen's row, locked: whoever acts on one citizen acts alone."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from ila.citizens.models import CitizenRow
from ila.citizens.queries import NoSuchCitizen
from ila.citizens.rules import AccountStatus
from ila.db.session import WriteSession


@dataclass(frozen=True, slots=True)
class LockedCitizen:
    """What the locked row says. While `frozen_at` is set nothing may be debited."""

    citizen_id: int
    status: AccountStatus
    frozen_at: datetime | None


def lock(session: WriteSession, citizen_id: int) -> LockedCitizen:
    """Lock a citizen until the transaction ends, and return the state read under the lock; raises `NoSuchCitizen`.

    Everything else about the citizen is read in later statements: only those see what the previous holder committed.
    """
    row = session.execute(
        select(CitizenRow.status, CitizenRow.frozen_at)
        .where(CitizenRow.citizen_id == citizen_id)
        .with_for_update(key_share=True)
    ).one_or_none()
    if row is None:
        raise NoSuchCitizen("There is no such account.")
    return LockedCitizen(citizen_id, row.status, row.frozen_at)
