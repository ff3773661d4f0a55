"""Personal details: encrypted at rest, bound to their row, gone when erased, closed to whoever has not the key."""

import re
from pathlib import Path

import pytest
from sqlalchemy import text, update
from sqlalchemy.exc import IntegrityError, ProgrammingError

from ila import citizens
from ila.access.rules import Actor, NotAllowed, Role
from ila.citizens.models import PersonalDetailRow
from ila.citizens.rules import ClosingReason
from ila.db.session import WriteSession
from tests.conftest import Database

from .files import import_text, row, text_of
from .people import ADMINISTRATOR, CIRCUMSTANCES, KEYS, NOW, OPENED_ON, OTHER_KEYS, open_citizen, person

SECRETS = ("Wilhelmina", "Testperson", "wilhelmina@example.org", "8507300", "85.07.30", "BE000001")


def closed(session: WriteSession, citizen_id: int) -> None:
    citizens.close_account(
        session, ADMINISTRATOR, citizen_id, on=NOW.date(), reason=ClosingReason.DEATH, today=NOW.date(), now=NOW
    )


def everything_as_text(database: Database) -> str:
    with database.engine("ila_owner").connect() as connection:
        tables = connection.execute(text("SELECT tablename FROM pg_tables WHERE schemaname = 'ila'")).scalars().all()
        return "\n".join(
            str(line) for table in tables for line in connection.execute(text(f"SELECT t::text FROM ila.{table} t"))
        )


def test_no_name_contact_or_identifier_stands_readable_anywhere_in_the_database(
    database: Database, tmp_path: Path
) -> None:
    import_text(database, tmp_path / "people.csv", text_of([row(1)]))
    with database.sessions().begin() as session:
        citizen_id = open_citizen(session)
        citizens.personal_detail(session, ADMINISTRATOR, citizen_id, keys=KEYS, now=NOW)
        closed(session, citizen_id)

    stored = everything_as_text(database)

    assert "citizen.detail_viewed" in stored
    for secret in SECRETS:
        assert secret.lower() not in stored.lower()
        assert secret.encode().hex() not in stored.lower()


def test_the_details_come_back_whole(session: WriteSession) -> None:
    citizen_id = open_citizen(session, 5)

    assert citizens.personal_detail(session, ADMINISTRATOR, citizen_id, keys=KEYS, now=NOW) == person(5)


def test_two_persons_with_the_same_name_share_no_byte_pattern(session: WriteSession) -> None:
    details = []
    for number in (1, 2):
        citizen_id = open_citizen(session, number)
        stored = session.get_one(PersonalDetailRow, citizen_id)
        details.append((stored.wrapped_key, stored.detail, stored.detail_hash, stored.identifier_hash))

    assert all(mine != others for mine, others in zip(*details, strict=True))


def test_another_key_reads_nothing(session: WriteSession) -> None:
    citizen_id = open_citizen(session)

    with pytest.raises(citizens.WrongKeys, match="cannot be decrypted"):
        citizens.personal_detail(session, ADMINISTRATOR, citizen_id, keys=OTHER_KEYS, now=NOW)


def test_a_key_of_an_unknown_version_is_named(session: WriteSession) -> None:
    citizen_id = open_citizen(session)
    newer = citizens.IdentityKeys(KEYS.pepper, {2: OTHER_KEYS.encryption_keys[1]})

    with pytest.raises(citizens.WrongKeys, match="key version 1, which this installation does not have"):
        citizens.personal_detail(session, ADMINISTRATOR, citizen_id, keys=newer, now=NOW)


def test_a_newer_key_encrypts_and_the_older_still_decrypts(session: WriteSession) -> None:
    both = citizens.IdentityKeys(KEYS.pepper, {**KEYS.encryption_keys, 2: OTHER_KEYS.encryption_keys[1]})
    older = open_citizen(session, 1)
    newer = citizens.open_account(session, ADMINISTRATOR, person(2), CIRCUMSTANCES, keys=both, on=OPENED_ON, now=NOW)

    assert session.get_one(PersonalDetailRow, newer).key_version == 2
    for number, citizen_id in ((1, older), (2, newer)):
        assert citizens.personal_detail(session, ADMINISTRATOR, citizen_id, keys=both, now=NOW) == person(number)


@pytest.mark.parametrize("column", ["wrapped_key", "detail"])
def test_details_moved_to_another_person_do_not_decrypt(session: WriteSession, column: str) -> None:
    mine, other = open_citizen(session, 1), open_citizen(session, 2)
    moved = getattr(session.get_one(PersonalDetailRow, mine), column)

    session.execute(update(PersonalDetailRow).where(PersonalDetailRow.citizen_id == other).values({column: moved}))

    with pytest.raises(citizens.WrongKeys, match="the row was tampered with"):
        citizens.personal_detail(session, ADMINISTRATOR, other, keys=KEYS, now=NOW)


def test_erasure_destroys_the_details_and_keeps_the_hash_so_that_nobody_returns_twice(session: WriteSession) -> None:
    citizen_id = open_citizen(session)
    before = session.get_one(PersonalDetailRow, citizen_id).identifier_hash
    closed(session, citizen_id)

    citizens.erase_personal_detail(session, ADMINISTRATOR, citizen_id, now=NOW)

    session.expire_all()
    stored = session.get_one(PersonalDetailRow, citizen_id)
    assert (stored.wrapped_key, stored.detail, stored.detail_hash) == (None, None, None)
    assert stored.identifier_hash == before
    with pytest.raises(citizens.DetailErased):
        citizens.personal_detail(session, ADMINISTRATOR, citizen_id, keys=KEYS, now=NOW)
    with pytest.raises(citizens.DetailErased, match="cannot be opened again"):
        citizens.reopen_account(session, ADMINISTRATOR, citizen_id, on=NOW.date(), now=NOW)
    with pytest.raises(citizens.AlreadyHasAccount):
        open_citizen(session)


def test_the_details_of_an_open_account_are_not_erased(session: WriteSession) -> None:
    citizen_id = open_citizen(session)

    with pytest.raises(citizens.AccountIsOpen, match="close it before"):
        citizens.erase_personal_detail(session, ADMINISTRATOR, citizen_id, now=NOW)


def test_every_look_at_a_person_is_recorded_with_who_looked(session: WriteSession) -> None:
    citizen_id = open_citizen(session)
    citizens.personal_detail(session, ADMINISTRATOR, citizen_id, keys=KEYS, now=NOW)
    session.flush()

    found = session.execute(
        text("SELECT actor_id FROM ila.audit_event WHERE act = 'citizen.detail_viewed' AND subject_id = :id"),
        {"id": citizen_id},
    ).all()
    assert found == [(ADMINISTRATOR.actor_id,)]


def test_a_citizen_reads_their_own_details_and_nobody_elses(session: WriteSession) -> None:
    mine, other = open_citizen(session, 1), open_citizen(session, 2)
    citizen = Actor(-mine, Role.CITIZEN, "a citizen", citizen_id=mine)

    assert citizens.personal_detail(session, citizen, mine, keys=KEYS, now=NOW) == person(1)
    with pytest.raises(NotAllowed):
        citizens.personal_detail(session, citizen, other, keys=KEYS, now=NOW)


@pytest.mark.parametrize("role", [Role.PROVIDER, Role.AUDITOR])
def test_providers_and_auditors_read_nobodys_details(session: WriteSession, role: Role) -> None:
    citizen_id = open_citizen(session)

    with pytest.raises(NotAllowed):
        citizens.personal_detail(session, Actor(9, role, "somebody"), citizen_id, keys=KEYS, now=NOW)


def test_the_auditors_database_role_cannot_read_the_table(database: Database) -> None:
    with (
        database.engine("ila_auditor").connect() as connection,
        pytest.raises(ProgrammingError, match="permission denied"),
    ):
        connection.execute(text("SELECT identifier_hash FROM ila.personal_detail"))


def test_half_erased_details_are_refused_by_the_database(session: WriteSession) -> None:
    citizen_id = open_citizen(session)

    with pytest.raises(IntegrityError, match="ck_personal_detail_erased_whole"):
        session.execute(
            update(PersonalDetailRow).where(PersonalDetailRow.citizen_id == citizen_id).values(wrapped_key=None)
        )


def test_keys_are_not_shown_when_they_are_printed() -> None:
    assert not re.search(r"\\x|pepper=|encryption_keys=", repr(KEYS))


@pytest.mark.parametrize(("pepper", "key"), [(b"short", bytes(32)), (bytes(32), b"short"), (bytes(32), bytes(32))])
def test_keys_that_are_too_short_or_the_same_are_refused(pepper: bytes, key: bytes) -> None:
    with pytest.raises(ValueError, match="bytes each|must not be"):
        citizens.IdentityKeys.of(pepper, key)
