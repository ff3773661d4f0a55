"""What an import makes of a population: new people, the same people, changed people."""

import csv
import gzip
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import select, text

from ila import citizens
from ila.citizens import importing
from ila.citizens.models import CitizenImportRow, CitizenRow, ImportState
from ila.citizens.rules import ClosingReason
from ila.db.session import WriteSession
from ila.schemes.facts import WorkRecord
from ila.schemes.policy import EmploymentStatus, WorkBasis
from tests.conftest import Database

from .files import COLUMNS, TODAY, Result, import_text, row, text_of, transact_in
from .people import ADMINISTRATOR, KEYS, NOW, OTHER_KEYS

DAY = date(2026, 6, 30)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "population.csv"


def everything(database: Database) -> list[tuple[object, ...]]:
    """Every row of every table that an import may write, but the imports themselves."""
    tables = ("citizen", "personal_detail", "fact_change", "citizen_fact", "need_attestation", "work_record")
    with database.read_sessions("ila_job")() as session:
        return [
            (table, *found)
            for table in tables
            for found in session.execute(text(f"SELECT * FROM ila.{table} ORDER BY 1, 2, 3"))
        ]


def only_citizen(session: WriteSession) -> int:
    return session.scalars(select(CitizenRow.citizen_id)).one()


def known_income(session: WriteSession, citizen_id: int) -> list[tuple[date, date, int | None]]:
    return sorted(
        (fact.valid_from, fact.valid_until, fact.income_minor)
        for fact in citizens.history_of(session, citizen_id).facts
        if fact.superseded_no is None
    )


def test_a_row_becomes_an_account_with_facts_needs_and_work(database: Database, path: Path) -> None:
    imported = import_text(database, path, text_of([row()]))

    assert imported.summary == (1, 0, 0, 0)
    with database.sessions().begin() as session:
        citizen_id = only_citizen(session)
        facts = citizens.facts_of(session, citizen_id, DAY, citizens.KNOWN_NOW)
        person = citizens.personal_detail(session, ADMINISTRATOR, citizen_id, keys=KEYS, now=NOW)
        account = citizens.account(session, citizen_id)
    assert (facts.born_on, facts.income_minor, facts.qualification_level) == (date(1985, 7, 30), 2_400_050, 3)
    assert (facts.resides_here, facts.works_here, facts.national) == (True, True, False)
    assert (facts.employment_status, facts.region, facts.category) == (EmploymentStatus.EMPLOYEE, "BE10", None)
    assert facts.attested == {"low_qualified"}
    assert facts.work_records == (WorkRecord(WorkBasis.HOURS, Decimal("803.5"), Decimal(1607)),)
    assert (person.given_name, person.identity.identifier) == ("Wilhelmina", "BE000001")
    assert (account.status.value, account.opened_on) == ("open", TODAY)


def test_the_same_file_again_changes_nothing(database: Database, path: Path) -> None:
    content = text_of([row(number) for number in range(1, 8)])
    import_text(database, path, content)
    before = everything(database)

    again = import_text(database, path, content, today=date(2027, 3, 1))

    assert again.summary == (0, 0, 7, 0)
    assert everything(database) == before


def test_batches_of_any_size_give_the_same_accounts(database: Database, path: Path) -> None:
    imported = import_text(database, path, text_of([row(number) for number in range(1, 8)]), batch_rows=3)

    assert imported.summary == (7, 0, 0, 0)
    with database.read_sessions()() as session:
        assert citizens.id_range(session) == (1, 7)


def test_citizen_ids_do_not_follow_the_order_of_the_file(database: Database, path: Path) -> None:
    import_text(database, path, text_of([row(number) for number in range(1, 31)]))

    with database.sessions().begin() as session:
        order = [
            citizens.personal_detail(session, ADMINISTRATOR, citizen_id, keys=KEYS, now=NOW).identity.identifier
            for citizen_id in range(1, 31)
        ]
    assert sorted(order) == [f"BE{number:06}" for number in range(1, 31)]
    assert order != sorted(order)


def test_another_way_of_writing_the_identifier_is_the_same_person(database: Database, path: Path) -> None:
    import_text(database, path, text_of([row(identifier="85.07.30-033 28")]))

    again = import_text(database, path, text_of([row(identifier="85073003328", income="1")]))

    assert again.summary == (0, 1, 0, 0)


def test_changed_facts_hold_from_their_day_and_the_days_before_keep_theirs(database: Database, path: Path) -> None:
    import_text(database, path, text_of([row()]))

    changed = import_text(database, path, text_of([row(income="30000", facts_from="2026-07-01")]))

    assert changed.summary == (0, 1, 0, 0)
    with database.sessions().begin() as session:
        assert known_income(session, only_citizen(session)) == [
            (date(2026, 1, 1), date(2026, 7, 1), 2_400_050),
            (date(2026, 7, 1), date.max, 3_000_000),
        ]


def test_an_older_file_after_a_newer_one_fills_only_the_days_up_to_the_newer(database: Database, path: Path) -> None:
    import_text(database, path, text_of([row()]))
    import_text(database, path, text_of([row(income="30000", facts_from="2026-09-01")]))

    import_text(database, path, text_of([row(income="20000", facts_from="2026-05-01")]))

    with database.sessions().begin() as session:
        assert known_income(session, only_citizen(session)) == [
            (date(2026, 1, 1), date(2026, 5, 1), 2_400_050),
            (date(2026, 5, 1), date(2026, 9, 1), 2_000_000),
            (date(2026, 9, 1), date.max, 3_000_000),
        ]


def test_facts_from_before_the_first_known_day_reach_up_to_it(database: Database, path: Path) -> None:
    import_text(database, path, text_of([row()]))

    import_text(database, path, text_of([row(income="20000", facts_from="2025-01-01")]))

    with database.sessions().begin() as session:
        assert known_income(session, only_citizen(session)) == [
            (date(2025, 1, 1), date(2026, 1, 1), 2_000_000),
            (date(2026, 1, 1), date.max, 2_400_050),
        ]


def test_what_was_known_before_a_changed_import_stays_known_as_of_then(database: Database, path: Path) -> None:
    import_text(database, path, text_of([row()]))
    with database.sessions().begin() as session:
        pinned = session.execute(text("SELECT nextval('ila.fact_change_seq')")).scalar_one()
        before = citizens.facts_of(session, only_citizen(session), DAY, pinned)

    import_text(database, path, text_of([row(income="1", needs="disabled:register:2026-02-01", work_done="1")]))

    with database.sessions().begin() as session:
        assert citizens.facts_of(session, only_citizen(session), DAY, pinned) == before
        assert citizens.facts_of(session, only_citizen(session), DAY, citizens.KNOWN_NOW) != before


def test_a_need_that_the_register_lists_no_more_ends_and_other_evidence_stays(database: Database, path: Path) -> None:
    needs = "low_qualified:register:2026-01-01;caregiver:declaration:2026-01-01"
    import_text(database, path, text_of([row(needs=needs)]))

    import_text(database, path, text_of([row(needs="", facts_from="2026-07-01")]))

    with database.sessions().begin() as session:
        known = {
            need.criterion: (need.valid_from, need.valid_until)
            for need in citizens.history_of(session, only_citizen(session)).needs
            if need.superseded_no is None
        }
    assert known == {
        "low_qualified": (date(2026, 1, 1), date(2026, 7, 1)),
        "caregiver": (date(2026, 1, 1), date.max),
    }


def test_a_need_with_another_end_replaces_the_old_one_from_its_first_day(database: Database, path: Path) -> None:
    import_text(database, path, text_of([row(needs="disabled:register:2025-01-01:2030-01-01")]))

    import_text(database, path, text_of([row(needs="disabled:attestation:2026-01-01:2027-01-01")]))

    with database.sessions().begin() as session:
        known = [
            (need.valid_from, need.valid_until, need.source.value)
            for need in citizens.history_of(session, only_citizen(session)).needs
            if need.superseded_no is None
        ]
    assert sorted(known) == [
        (date(2025, 1, 1), date(2026, 1, 1), "register"),
        (date(2026, 1, 1), date(2027, 1, 1), "attestation"),
    ]


def test_columns_that_a_file_does_not_have_leave_what_is_known(database: Database, path: Path) -> None:
    import_text(database, path, text_of([row()]))
    without = [name for name in COLUMNS if name not in ("income", "region", "needs") and not name.startswith("work_")]

    changed = import_text(database, path, text_of([row(employment_status="jobseeker")], without))

    assert changed.summary == (0, 1, 0, 0)
    with database.sessions().begin() as session:
        facts = citizens.facts_of(session, only_citizen(session), DAY, citizens.KNOWN_NOW)
    assert (facts.employment_status, facts.income_minor, facts.region) == (
        EmploymentStatus.JOBSEEKER,
        2_400_050,
        "BE10",
    )
    assert (facts.attested, len(facts.work_records)) == ({"low_qualified"}, 1)


def test_a_new_name_is_stored_and_is_no_change_of_facts(database: Database, path: Path) -> None:
    import_text(database, path, text_of([row()]))

    changed = import_text(database, path, text_of([row(family_name="Otherperson")]))

    assert changed.summary == (0, 1, 0, 0)
    with database.sessions().begin() as session:
        citizen_id = only_citizen(session)
        person = citizens.personal_detail(session, ADMINISTRATOR, citizen_id, keys=KEYS, now=NOW)
        assert (person.family_name, len(citizens.history_of(session, citizen_id).facts)) == ("Otherperson", 1)


def test_a_second_row_about_a_person_is_refused_in_the_same_batch_and_in_a_later_one(
    database: Database, path: Path
) -> None:
    rows = [row(1), row(1, income="1"), row(2), row(3), row(1)]

    imported = import_text(database, path, text_of(rows), batch_rows=3)

    assert imported.summary == (3, 0, 0, 2)
    sentence = "identifier: the same person stands in line 2; keep one of the two"
    assert imported.reasons == [(3, sentence), (6, sentence)]


def test_a_closed_account_is_left_alone_and_its_row_refused_only_where_it_says_something_new(
    database: Database, path: Path
) -> None:
    import_text(database, path, text_of([row()]))
    with database.sessions().begin() as session:
        citizens.close_account(
            session, ADMINISTRATOR, only_citizen(session), on=date(2026, 10, 1), reason=ClosingReason.DEATH,
            today=TODAY, now=NOW,
        )  # fmt: skip
    before = everything(database)

    same = import_text(database, path, text_of([row()]))
    other = import_text(database, path, text_of([row(income="1")]))

    assert (same.summary, other.summary) == ((0, 0, 1, 0), (0, 0, 0, 1))
    assert other.reasons == [(2, "identifier: the account was closed on 2026-10-01; reopen it before its facts change")]
    assert everything(database) == before


def test_an_erased_person_does_not_come_back(database: Database, path: Path) -> None:
    import_text(database, path, text_of([row()]))
    with database.sessions().begin() as session:
        citizen_id = only_citizen(session)
        citizens.close_account(
            session, ADMINISTRATOR, citizen_id, on=TODAY, reason=ClosingReason.REQUEST, today=TODAY, now=NOW
        )
        citizens.erase_personal_detail(session, ADMINISTRATOR, citizen_id, now=NOW)

    imported = import_text(database, path, text_of([row()]))

    assert imported.summary == (0, 0, 0, 1)
    assert "its personal details erased" in imported.reasons[0][1]


def test_another_pepper_or_key_is_refused_before_anything_lands(database: Database, path: Path) -> None:
    import_text(database, path, text_of([row()]))
    before = everything(database)

    with pytest.raises(citizens.WrongKeys, match="set ILA_ENCRYPTION_KEY"):
        import_text(database, path, text_of([row(2)]), keys=OTHER_KEYS)
    with pytest.raises(citizens.WrongKeys, match="set ILA_IDENTITY_PEPPER"):
        import_text(
            database, path, text_of([row(2)]), keys=citizens.IdentityKeys(OTHER_KEYS.pepper, KEYS.encryption_keys)
        )

    assert everything(database) == before


def test_a_gzip_file_is_imported_whatever_its_name(database: Database, path: Path) -> None:
    imported = import_text(database, path, gzip.compress(text_of([row()]).encode()))

    assert imported.summary == (1, 0, 0, 0)


def test_a_file_with_a_byte_order_mark_carriage_returns_and_quoted_names_is_imported(
    database: Database, path: Path
) -> None:
    content = text_of([row(family_name='"de ""Groot"", Testperson"'), row(2)]).replace("\n", "\r\n")

    imported = import_text(database, path, b"\xef\xbb\xbf" + content.encode())

    assert imported.summary == (2, 0, 0, 0)


def test_the_import_keeps_its_counts_and_forgets_whom_it_has_seen(database: Database, path: Path) -> None:
    import_text(database, path, text_of([row(1), row(2, born_on="never"), row(1)]))

    with database.read_sessions()() as session:
        kept = session.scalars(select(CitizenImportRow)).one()
        seen = session.execute(text("SELECT count(*) FROM ila.citizen_import_seen")).scalar_one()
    assert (kept.state, kept.rows_read, kept.rows_opened, kept.rows_refused) == (ImportState.FINISHED, 3, 1, 2)
    assert (kept.file_name, len(kept.file_sha256 or b""), seen) == ("population.csv", 32, 0)


def test_a_refused_row_can_be_corrected_in_its_file_and_imported(database: Database, path: Path) -> None:
    rows = [row(1), row(2, given_name="=Wim", born_on="30/07/1985"), row(3, family_name='"open')]
    first = import_text(database, path, text_of(rows))
    refused_path = path.with_name("refused.csv")
    with importing.RefusalFile(refused_path, COLUMNS) as refusals:
        for refused in first.refused:
            refusals.add(refused)
    with refused_path.open(newline="") as stream:
        written = list(csv.reader(stream))
    assert [line[-2:] for line in written] == [
        ["line", "reason"],
        ["3", "born_on: '30/07/1985' is no day; write it as YYYY-MM-DD"],
        ["4", "family_name: a quotation mark is opened and never closed; double the marks that belong to the text"],
    ]
    assert written[1][COLUMNS.index("given_name")] == "'=Wim"

    corrected = refused_path.read_text().splitlines()[:2]
    again = import_text(database, path, "\n".join(corrected).replace("30/07/1985", "1985-07-30") + "\n")

    assert again.summary == (1, 0, 0, 0)
    with database.sessions().begin() as session:
        given_names = [
            citizens.personal_detail(session, ADMINISTRATOR, citizen_id, keys=KEYS, now=NOW).given_name
            for citizen_id in (1, 2)
        ]
    assert given_names == ["Wilhelmina", "=Wim"]


def test_no_file_of_refused_rows_appears_where_none_was_refused(tmp_path: Path) -> None:
    with importing.RefusalFile(tmp_path / "refused.csv", COLUMNS):
        pass

    assert list(tmp_path.iterdir()) == []


def test_an_import_cut_off_in_the_middle_is_started_again_and_ends_the_same(database: Database, path: Path) -> None:
    content = text_of([row(number) for number in range(1, 8)])
    path.write_text(content)

    def cut_off(done: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        importing.import_population(
            transact_in(database), importing.inspected(path), actor=ADMINISTRATOR, keys=KEYS, today=TODAY, now=NOW,
            batch_rows=3, on_progress=cut_off,
        )  # fmt: skip

    again = import_text(database, path, content)

    assert again.summary == (4, 0, 3, 0)
    with database.read_sessions()() as session:
        states = session.scalars(select(CitizenImportRow.state).order_by(CitizenImportRow.citizen_import_id)).all()
    assert states == [ImportState.FAILED, ImportState.FINISHED]


def test_a_batch_whose_commit_was_lost_is_merged_and_counted_once(database: Database, path: Path) -> None:
    path.write_text(text_of([row(1), row(2), row(1)]))
    once = transact_in(database)

    def with_lost_commits(work: Callable[[WriteSession], Result]) -> Result:
        if isinstance(work, partial):  # a batch: its first commit happened, and nobody was told
            once(work)
        return once(work)

    counts = importing.import_population(
        with_lost_commits, importing.inspected(path), actor=ADMINISTRATOR, keys=KEYS, today=TODAY, now=NOW,
        batch_rows=50,
    )  # fmt: skip

    assert (counts.read, counts.opened, counts.unchanged, counts.refused) == (3, 2, 0, 1)
    with database.read_sessions()() as session:
        assert citizens.id_range(session) == (1, 2)
