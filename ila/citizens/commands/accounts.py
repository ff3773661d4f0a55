"""Open, close, reopen and freeze accounts; look at and erase personal details."""

from collections.abc import Collection, Sequence
from dataclasses import asdict
from datetime import date, datetime

from sqlalchemy import func, insert, select, text, update
from sqlalchemy.orm import Session

from ila import audit
from ila.access.rules import Actor, Permission, may, require
from ila.citizens.commands.facts import change_facts
from ila.citizens.commands.locking import lock
from ila.citizens.commands.recording import record_change
from ila.citizens.identity import IdentityKeys, SealedDetail, WrongKeys
from ila.citizens.models import CitizenFactRow, CitizenRow, NeedAttestationRow, PersonalDetailRow, WorkRecordRow
from ila.citizens.persons import Identity, Person, require_person
from ila.citizens.queries import NoSuchCitizen, account
from ila.citizens.rules import (
    NO_END,
    AccountStatus,
    ChangeKind,
    Circumstances,
    ClosingReason,
    Need,
    Work,
    require_birth,
    require_calendar_year,
    require_criterion,
    require_period,
)
from ila.db.session import WriteSession
from ila.errors import Conflict, Invalid, NotFound
from ila.ids import new_reference

OPENINGS = 0x11A_0BE9
"""Key of the advisory lock between openings of accounts (shared) and batches of imports (exclusive).

Two openings for one person exclude one another by a lock on the first 64 bits of the person's hash.
"""


class AlreadyHasAccount(Conflict):
    """A person with this identifier holds an account."""

    code = "already_has_account"


class AccountIsClosed(Conflict):
    """The account is closed."""

    code = "account_closed"


class AccountIsOpen(Conflict):
    """The account is open."""

    code = "account_open"


class DetailErased(NotFound):
    """The personal details of the account were erased."""

    code = "detail_erased"


def require_same_keys(session: Session, keys: IdentityKeys) -> None:
    """Raise `WrongKeys` unless the keys are those that the people known so far were stored with.

    With another pepper nobody would be found again, and everybody would get a second account.
    """
    row = session.execute(
        select(PersonalDetailRow.identifier_hash, PersonalDetailRow.key_version, PersonalDetailRow.wrapped_key,
               PersonalDetailRow.detail)
        .where(PersonalDetailRow.detail.is_not(None))
        .order_by(PersonalDetailRow.citizen_id.desc())
        .limit(1)
    ).one_or_none()  # fmt: skip
    if row is None or row.wrapped_key is None or row.detail is None:
        return
    person = keys.open(SealedDetail(row.key_version, row.wrapped_key, row.detail), row.identifier_hash)
    if keys.identifier_hash(person.identity) != row.identifier_hash:
        raise WrongKeys(
            "The identity pepper is not the one that the people of this database were stored with, so nobody would be"
            " found again; set ILA_IDENTITY_PEPPER to that one."
        )


def citizen_id_of_identity(session: Session, keys: IdentityKeys, identity: Identity) -> int | None:
    """Return the citizen with a national identifier, or None."""
    found = PersonalDetailRow.identifier_hash == keys.identifier_hash(identity)
    return session.scalar(select(PersonalDetailRow.citizen_id).where(found))


def open_account(
    session: WriteSession,
    actor: Actor,
    person: Person,
    circumstances: Circumstances,
    needs: Sequence[Need] = (),
    work: Sequence[Work] = (),
    *,
    keys: IdentityKeys,
    on: date,
    now: datetime,
    of_schemes: Collection[str] = (),
) -> int:
    """Open an account whose facts hold from a day on; return the citizen_id.

    Raises `AlreadyHasAccount` for a person who has one, open or closed, and `WrongKeys` for keys of another database.
    """
    require(actor, Permission.MANAGE_CITIZENS)
    require_person(person)
    require_birth(circumstances.born_on, on)
    for need in needs:
        require_criterion(need.criterion, of_schemes)
        require_period(need.valid_from, need.valid_until)
    for record in work:
        require_calendar_year(record.valid_from, record.valid_until)
    identifier_hash = keys.identifier_hash(person.identity)
    session.execute(select(func.pg_advisory_xact_lock_shared(OPENINGS)))
    session.execute(select(func.pg_advisory_xact_lock(int.from_bytes(identifier_hash[:8], signed=True))))
    require_same_keys(session, keys)
    if citizen_id_of_identity(session, keys, person.identity) is not None:
        raise AlreadyHasAccount("A person with this identifier has an account already; look it up by the identifier.")
    citizen_id: int = session.execute(text("SELECT nextval('ila.citizen_id_seq')")).scalar_one()
    session.execute(
        insert(CitizenRow).values(
            citizen_id=citizen_id, reference=new_reference(), status=AccountStatus.OPEN, opened_on=on
        )
    )
    session.execute(
        insert(PersonalDetailRow).values(
            citizen_id=citizen_id,
            identifier_hash=identifier_hash,
            pepper_version=keys.pepper_version,
            detail_hash=keys.detail_hash(person, identifier_hash),
            **asdict(keys.seal(person, identifier_hash)),
        )
    )
    change_no = record_change(session, actor, ChangeKind.OPENING, now=now)
    known = {"citizen_id": citizen_id, "recorded_no": change_no}
    session.execute(
        insert(CitizenFactRow).values(
            **known, valid_from=on, valid_until=NO_END, account_open=True, **asdict(circumstances)
        )
    )
    if needs:
        session.execute(insert(NeedAttestationRow), [{**known, **asdict(need)} for need in needs])
    if work:
        session.execute(insert(WorkRecordRow), [{**known, **asdict(record)} for record in work])
    audit.record(session, actor, "citizen.opened", "citizen", citizen_id, now=now, fact_change_no=change_no)
    return citizen_id


def close_account(
    session: WriteSession,
    actor: Actor,
    citizen_id: int,
    *,
    on: date,
    reason: ClosingReason,
    today: date,
    now: datetime,
) -> None:
    """Close an account as from a day, today or earlier: from then on nothing is credited. Raises `AccountIsClosed`."""
    require(actor, Permission.MANAGE_CITIZENS)
    if on > today:
        raise Invalid(f"An account is closed on the day itself or later, not ahead of {on}; repeat it then.", on=on)
    if lock(session, citizen_id).status is AccountStatus.CLOSED:
        closed_on = account(session, citizen_id).closed_on
        raise AccountIsClosed(
            f"The account has been closed since {closed_on}; nothing was changed.", closed_on=closed_on
        )
    change_facts(
        session, actor, citizen_id, {"account_open": False}, ChangeKind.CLOSING,
        valid_from=on, valid_until=NO_END, now=now,
    )  # fmt: skip
    _update(session, citizen_id, status=AccountStatus.CLOSED, closed_on=on)
    audit.record(
        session, actor, "citizen.closed", "citizen", citizen_id, now=now, on=on.isoformat(), reason=reason.value
    )


def reopen_account(session: WriteSession, actor: Actor, citizen_id: int, *, on: date, now: datetime) -> None:
    """Open a closed account again as from a day, not before it was closed.

    Raises `AccountIsOpen`, and `DetailErased` where nobody could tell any more whose account it is.
    """
    require(actor, Permission.MANAGE_CITIZENS)
    if lock(session, citizen_id).status is AccountStatus.OPEN:
        raise AccountIsOpen("The account is open; nothing was changed.")
    closed_on = account(session, citizen_id).closed_on
    if closed_on is not None and on < closed_on:
        raise Invalid(
            f"The account was closed on {closed_on}; reopen it from that day or a later one.", closed_on=closed_on
        )
    _require_detail(session, citizen_id)
    change_facts(
        session, actor, citizen_id, {"account_open": True}, ChangeKind.REOPENING,
        valid_from=on, valid_until=NO_END, now=now,
    )  # fmt: skip
    _update(session, citizen_id, status=AccountStatus.OPEN, closed_on=None)
    audit.record(session, actor, "citizen.reopened", "citizen", citizen_id, now=now, on=on.isoformat())


def freeze(session: WriteSession, actor: Actor, citizen_id: int, *, now: datetime) -> None:
    """Forbid every debit from the account until it is unfrozen. Again changes nothing."""
    require(actor, Permission.MANAGE_CITIZENS)
    if lock(session, citizen_id).frozen_at is None:
        _update(session, citizen_id, frozen_at=now)
        audit.record(session, actor, "citizen.frozen", "citizen", citizen_id, now=now)


def unfreeze(session: WriteSession, actor: Actor, citizen_id: int, *, now: datetime) -> None:
    """Allow debits from the account again. Again changes nothing."""
    require(actor, Permission.MANAGE_CITIZENS)
    if lock(session, citizen_id).frozen_at is not None:
        _update(session, citizen_id, frozen_at=None)
        audit.record(session, actor, "citizen.unfrozen", "citizen", citizen_id, now=now)


def erase_personal_detail(session: WriteSession, actor: Actor, citizen_id: int, *, now: datetime) -> None:
    """Destroy the data key and the details of a closed account. Again changes nothing. Raises `AccountIsOpen`.

    The hash of the identifier stays: without it the person could return and be credited a second time. Ledger and
    facts stay whole, and say no more whose they are.
    """
    require(actor, Permission.MANAGE_CITIZENS)
    if lock(session, citizen_id).status is AccountStatus.OPEN:
        raise AccountIsOpen("The account is open; close it before its personal details are erased.")
    erased = session.execute(
        update(PersonalDetailRow)
        .where(PersonalDetailRow.citizen_id == citizen_id, PersonalDetailRow.detail.is_not(None))
        .values(wrapped_key=None, detail=None, detail_hash=None)
        .returning(PersonalDetailRow.citizen_id)
        .execution_options(synchronize_session=False)
    ).one_or_none()
    if erased is not None:
        audit.record(session, actor, "citizen.erased", "citizen", citizen_id, now=now)


def personal_detail(
    session: WriteSession, actor: Actor, citizen_id: int, *, keys: IdentityKeys, now: datetime
) -> Person:
    """Return who a citizen is, and record that the actor looked.

    Only the citizen and those who manage citizens may. Raises `DetailErased`, and `WrongKeys` without the right key.
    """
    if actor.citizen_id != citizen_id or not may(actor, Permission.READ_OWN_ACCOUNT, citizen_id=citizen_id):
        require(actor, Permission.MANAGE_CITIZENS)
    row = session.execute(
        select(
            PersonalDetailRow.identifier_hash,
            PersonalDetailRow.key_version,
            PersonalDetailRow.wrapped_key,
            PersonalDetailRow.detail,
        ).where(PersonalDetailRow.citizen_id == citizen_id)
    ).one_or_none()
    if row is None:
        raise NoSuchCitizen("There is no such account.")
    if row.wrapped_key is None or row.detail is None:
        raise DetailErased("The personal details of this account were erased; only its ledger and facts are left.")
    person = keys.open(SealedDetail(row.key_version, row.wrapped_key, row.detail), row.identifier_hash)
    audit.record(session, actor, "citizen.detail_viewed", "citizen", citizen_id, now=now)
    return person


def _require_detail(session: WriteSession, citizen_id: int) -> None:
    present = session.scalar(
        select(PersonalDetailRow.detail.is_not(None)).where(PersonalDetailRow.citizen_id == citizen_id)
    )
    if not present:
        raise DetailErased("The personal details of this account were erased; it cannot be opened again.")


def _update(session: WriteSession, citizen_id: int, **values: object) -> None:
    session.execute(
        update(CitizenRow)
        .where(CitizenRow.citizen_id == citizen_id)
        .values(**values)
        .execution_options(synchronize_session=False)
    )
