"""Attest needs, correct facts, record working time. What was known before a change stays known as of then."""

from collections.abc import Collection, Mapping
from dataclasses import fields
from datetime import date, datetime
from typing import Any

from ila import audit
from ila.access.rules import Actor, Permission, require
from ila.citizens.commands.locking import lock
from ila.citizens.commands.recording import (
    fact_values,
    record_change,
    supersede_facts,
    supersede_needs,
    supersede_work,
)
from ila.citizens.history import fact_versions, need_versions, work_versions
from ila.citizens.queries import NoFacts
from ila.citizens.rules import (
    NO_END,
    ChangeKind,
    Circumstances,
    Need,
    Work,
    correction,
    require_birth,
    require_calendar_year,
    require_criterion,
    require_period,
)
from ila.db.session import WriteSession
from ila.errors import Conflict, Invalid, NotFound

CORRECTABLE = tuple(field.name for field in fields(Circumstances))
"""The circumstances that a correction may name."""


class NoSuchAttestation(NotFound):
    """No attestation of this criterion holds on or after the day."""

    code = "no_such_attestation"


class WorkOverlaps(Conflict):
    """A record of the same job lies only partly within the stretch; its hours cannot be divided."""

    code = "work_overlaps"


def correct_facts(
    session: WriteSession,
    actor: Actor,
    citizen_id: int,
    changes: Mapping[str, Any],
    *,
    valid_from: date,
    valid_until: date = NO_END,
    now: datetime,
) -> int | None:
    """Say what was really true between two days, the end excluded; return the change's number, or None.

    None: nothing differs from what was known. `changes` names circumstances (`CORRECTABLE`) with their values; the
    others stay as they were on each day, and so does everything before and after. Raises `NoFacts` where nothing is
    known of these days.
    """
    require(actor, Permission.MANAGE_CITIZENS)
    require_period(valid_from, valid_until)
    unknown = sorted(set(changes) - set(CORRECTABLE))
    if unknown or not changes:
        named = f"{', '.join(unknown)} cannot be corrected" if unknown else "a correction has to name what changes"
        raise Invalid(f"This cannot be done: {named}; name one or more of {', '.join(CORRECTABLE)}.")
    lock(session, citizen_id)
    return change_facts(
        session,
        actor,
        citizen_id,
        changes,
        ChangeKind.CORRECTION,
        valid_from=valid_from,
        valid_until=valid_until,
        now=now,
    )


def change_facts(
    session: WriteSession,
    actor: Actor,
    citizen_id: int,
    changes: Mapping[str, Any],
    kind: ChangeKind,
    *,
    valid_from: date,
    valid_until: date,
    now: datetime,
) -> int | None:
    """Change facts of a locked citizen between two days; return the change's number, None if nothing changed."""
    known = fact_versions(session, citizen_id, known=True)
    touched = [fact for fact in known if fact.valid_from < valid_until and fact.valid_until > valid_from]
    if not touched:
        raise NoFacts(
            f"Nothing is known of this account from {valid_from} until {valid_until}; name days on which it has facts.",
            valid_from=valid_from,
        )
    wrong = [fact for fact in touched if fact_values(fact) | dict(changes) != fact_values(fact)]
    if not wrong:
        return None
    for fact in wrong:
        require_birth(changes.get("born_on", fact.born_on), max(fact.valid_from, valid_from))
    added = [
        {
            **fact_values(fact),
            **changes,
            "valid_from": max(fact.valid_from, valid_from),
            "valid_until": min(fact.valid_until, valid_until),
        }
        for fact in wrong
    ]
    change_no = record_change(session, actor, kind, now=now)
    supersede_facts(session, change_no, citizen_id, correction(wrong, valid_from, valid_until), added)
    audit.record(
        session, actor, f"citizen.{kind.value}", "citizen", citizen_id, now=now,
        fact_change_no=change_no, changed=sorted(changes), valid_from=valid_from.isoformat(),
    )  # fmt: skip
    return change_no


def attest_need(
    session: WriteSession,
    actor: Actor,
    citizen_id: int,
    need: Need,
    *,
    now: datetime,
    of_schemes: Collection[str] = (),
) -> int | None:
    """Attest that a need criterion holds between two days; return the change's number, None if that was known.

    What was known of the criterion on these days is replaced. `of_schemes` are criteria that scheme files name; raises
    `UnknownCriterion` for a word that neither they nor the platform know.
    """
    require(actor, Permission.MANAGE_CITIZENS)
    require_criterion(need.criterion, of_schemes)
    require_period(need.valid_from, need.valid_until)
    lock(session, citizen_id)
    known = need_versions(session, citizen_id, need.criterion, known=True)
    wanted = (need.source, need.valid_from, need.valid_until)
    if any((held.source, held.valid_from, held.valid_until) == wanted for held in known):
        return None
    change_no = record_change(session, actor, ChangeKind.ATTESTATION, now=now)
    added = {
        "criterion": need.criterion,
        "source": need.source,
        "valid_from": need.valid_from,
        "valid_until": need.valid_until,
    }
    supersede_needs(session, change_no, citizen_id, correction(known, need.valid_from, need.valid_until), [added])
    audit.record(
        session, actor, "citizen.need_attested", "citizen", citizen_id, now=now,
        fact_change_no=change_no, criterion=need.criterion, source=need.source.value,
    )  # fmt: skip
    return change_no


def withdraw_attestation(
    session: WriteSession, actor: Actor, citizen_id: int, criterion: str, *, on: date, now: datetime
) -> int:
    """Say that a criterion holds no more from a day on; return the change's number. Raises `NoSuchAttestation`."""
    require(actor, Permission.MANAGE_CITIZENS)
    lock(session, citizen_id)
    cut = correction(need_versions(session, citizen_id, criterion, known=True), on, NO_END)
    if not cut.superseded:
        raise NoSuchAttestation(
            f"No attestation of {criterion} holds on {on} or later; look at the account's attestations.",
            criterion=criterion,
            on=on,
        )
    change_no = record_change(session, actor, ChangeKind.ATTESTATION, now=now)
    supersede_needs(session, change_no, citizen_id, cut, [])
    audit.record(
        session, actor, "citizen.need_withdrawn", "citizen", citizen_id, now=now,
        fact_change_no=change_no, criterion=criterion, on=on.isoformat(),
    )  # fmt: skip
    return change_no


def record_work(session: WriteSession, actor: Actor, citizen_id: int, work: Work, *, now: datetime) -> int | None:
    """Record the working time of a job in a stretch of a calendar year, in place of what was known of it there.

    Returns the change's number, None if it was known exactly so. Raises `WorkOverlaps` where a record that was known
    reaches out of the stretch.
    """
    require(actor, Permission.MANAGE_CITIZENS)
    require_calendar_year(work.valid_from, work.valid_until)
    if work.worked < 0 or (work.reference is not None and work.reference <= 0):
        raise Invalid("Working time must be 0 or more and its reference more than 0; correct the figures.")
    lock(session, citizen_id)
    known = work_versions(session, citizen_id, work.job_no, known=True)
    cut = correction(known, work.valid_from, work.valid_until)
    if cut.kept:
        held = cut.kept[0].of
        raise WorkOverlaps(
            f"Job {work.job_no} has a record from {held.valid_from} until {held.valid_until}, which lies only partly"
            f" within {work.valid_from} to {work.valid_until}; record a stretch that holds it whole.",
            job_no=work.job_no,
        )
    added = {
        "job_no": work.job_no,
        "basis": work.basis,
        "worked": work.worked,
        "reference": work.reference,
        "valid_from": work.valid_from,
        "valid_until": work.valid_until,
    }
    if len(cut.superseded) == 1 and all(getattr(cut.superseded[0], name) == value for name, value in added.items()):
        return None
    change_no = record_change(session, actor, ChangeKind.WORK, now=now)
    supersede_work(session, change_no, citizen_id, cut.superseded, [added])
    audit.record(
        session, actor, "citizen.work_recorded", "citizen", citizen_id, now=now,
        fact_change_no=change_no, job_no=work.job_no,
    )  # fmt: skip
    return change_no
