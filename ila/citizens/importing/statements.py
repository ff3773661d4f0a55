"""The statements that merge a batch of a population; what each row means is told in `merging.py`.

Names: `person` and `need` are staged rows; `known` are those of people who have an account, `touched` those of whom
the row says something new; `fact`, `held` and `record` are what is stored and still known. What differs is asked for
twice: of everybody known, to find the touched, and once more of those when they are locked.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from ila.citizens.models import STILL_KNOWN

TABLES = (
    """
    CREATE TEMP TABLE import_person (
        line_no integer, identifier_hash bytea, detail_hash bytea, wrapped_key bytea, detail bytea, reference text,
        facts_from date, born_on date, resides_here boolean, works_here boolean, national boolean,
        employment_status text, qualification_level smallint, income_minor bigint, region text, category text,
        work_basis text, work_done numeric(18, 4), work_reference numeric(18, 4), work_year integer
    ) ON COMMIT DROP
    """,
    """
    CREATE TEMP TABLE import_need (
        line_no integer, criterion text, source text, valid_from date, valid_until date
    ) ON COMMIT DROP
    """,
)

SEEN = """
    INSERT INTO ila.citizen_import_seen (citizen_import_id, identifier_hash, line_no)
    SELECT :import_id, identifier_hash, line_no FROM import_person ORDER BY identifier_hash, line_no
    ON CONFLICT DO NOTHING
"""

REPEATED = """
    DELETE FROM import_person person USING ila.citizen_import_seen seen
    WHERE seen.citizen_import_id = :import_id AND seen.identifier_hash = person.identifier_hash
        AND seen.line_no <> person.line_no
    RETURNING person.line_no, seen.line_no
"""

KNOWN = """
    CREATE TEMP TABLE import_known ON COMMIT DROP AS
    SELECT person.line_no, detail.citizen_id, detail.detail_hash IS DISTINCT FROM person.detail_hash AS detail_differs
    FROM import_person person JOIN ila.personal_detail detail ON detail.identifier_hash = person.identifier_hash
"""

OPEN = """
    WITH account AS MATERIALIZED (
        SELECT nextval('ila.citizen_id_seq') AS citizen_id, shuffled.*
        FROM (
            SELECT person.* FROM import_person person
            WHERE NOT EXISTS (SELECT FROM import_known known WHERE known.line_no = person.line_no)
            ORDER BY person.identifier_hash
        ) shuffled
    ), opened AS (
        INSERT INTO ila.citizen (citizen_id, reference, status, opened_on)
        SELECT citizen_id, reference, 'open', :today FROM account
    ), detailed AS (
        INSERT INTO ila.personal_detail
            (citizen_id, identifier_hash, pepper_version, key_version, wrapped_key, detail, detail_hash)
        SELECT citizen_id, identifier_hash, :pepper_version, :key_version, wrapped_key, detail, detail_hash FROM account
    ), described AS (
        INSERT INTO ila.citizen_fact (citizen_id, recorded_no, valid_from, account_open, born_on, resides_here,
            works_here, national, employment_status, qualification_level, income_minor, region, category)
        SELECT citizen_id, :change_no, facts_from, true, born_on, resides_here, works_here, national,
            employment_status, qualification_level, income_minor, region, category FROM account
    ), worked AS (
        INSERT INTO ila.work_record
            (citizen_id, job_no, recorded_no, valid_from, valid_until, basis, worked, reference)
        SELECT citizen_id, 1, :change_no, make_date(work_year, 1, 1), make_date(work_year + 1, 1, 1), work_basis,
            work_done, work_reference FROM account WHERE work_basis IS NOT NULL
    ), attested AS (
        INSERT INTO ila.need_attestation (citizen_id, criterion, recorded_no, valid_from, valid_until, source)
        SELECT account.citizen_id, need.criterion, :change_no, need.valid_from, need.valid_until, need.source
        FROM account JOIN import_need need ON need.line_no = account.line_no
    )
    SELECT count(*) FROM account
"""

LOCK = """
    SELECT citizen.citizen_id FROM ila.citizen citizen
    WHERE citizen.citizen_id IN (SELECT citizen_id FROM import_touched)
    ORDER BY citizen.citizen_id FOR NO KEY UPDATE
"""

CLOSED = """
    DELETE FROM import_touched touched USING ila.citizen citizen, ila.personal_detail detail
    WHERE citizen.citizen_id = touched.citizen_id AND citizen.status = 'closed'
        AND detail.citizen_id = touched.citizen_id
    RETURNING touched.line_no, citizen.closed_on, detail.detail IS NULL
"""

DETAIL = """
    UPDATE ila.personal_detail detail
    SET wrapped_key = person.wrapped_key, detail = person.detail, detail_hash = person.detail_hash,
        key_version = :key_version
    FROM import_touched touched JOIN import_person person ON person.line_no = touched.line_no
    WHERE detail.citizen_id = touched.citizen_id AND detail.detail_hash IS DISTINCT FROM person.detail_hash
"""

ALWAYS = ("born_on", "resides_here", "works_here", "national", "employment_status")
OPTIONAL = {
    "qualification_level": "qualification_level",
    "income": "income_minor",
    "region": "region",
    "category": "category",
}
"""Columns of a file that may be left out, with the facts they give."""


@dataclass(frozen=True, slots=True)
class Columns:
    """What a file says: the facts it gives, those it leaves as they are, and whether it tells of needs."""

    given: tuple[str, ...]
    left: tuple[str, ...]
    has_needs: bool

    @classmethod
    def of(cls, names: Sequence[str]) -> "Columns":
        """Return what a file with columns of these names says."""
        return cls(
            given=(*ALWAYS, *(fact for name, fact in OPTIONAL.items() if name in names)),
            left=tuple(fact for name, fact in OPTIONAL.items() if name not in names),
            has_needs="needs" in names,
        )


def touched_people(columns: Columns) -> str:
    """Return the statement that lists the known citizens of whom a row says something new."""
    differences = [wrong_facts("import_known", columns), new_work("import_known")]
    if columns.has_needs:
        differences += [contradicted_needs("import_known"), new_needs("import_known")]
    listed = "".join(f" UNION SELECT line_no, citizen_id FROM ({query}) difference" for query in differences)  # noqa: S608
    return f"""
        CREATE TEMP TABLE import_touched ON COMMIT DROP AS
        SELECT line_no, citizen_id FROM import_known WHERE detail_differs{listed}
    """  # noqa: S608  names of columns only


def wrong_facts(people: str, columns: Columns) -> str:
    """Select the fact that holds on `facts_from` where the row says otherwise, with what both say."""
    said = ", ".join(f"person.{name}" for name in columns.given)
    known = ", ".join(f"fact.{name}" for name in columns.given)
    old = ", ".join(f"fact.{name} AS old_{name}" for name in (*columns.given, *columns.left))
    return f"""
        SELECT people.line_no, people.citizen_id, person.facts_from, {said}, {old}, fact.recorded_no,
            fact.valid_from, fact.valid_until, fact.account_open
        FROM {people} people
        JOIN import_person person ON person.line_no = people.line_no
        LEFT JOIN ila.citizen_fact fact ON fact.citizen_id = people.citizen_id AND fact.superseded_no = {STILL_KNOWN}
            AND fact.valid_from <= person.facts_from AND fact.valid_until > person.facts_from
        WHERE ({known}) IS DISTINCT FROM ({said})
    """  # noqa: S608  names of columns only


def fact_changes(columns: Columns) -> tuple[str, ...]:
    """Return the statements that supersede wrong facts to the end of their stretch, and record what the rows say."""
    every = (*columns.given, *columns.left)
    names = ", ".join(("citizen_id", "recorded_no", "valid_from", "valid_until", "account_open", *every))
    kept = ", ".join(f"old_{name}" for name in every)
    said = ", ".join((*columns.given, *(f"old_{name}" for name in columns.left)))
    return (
        f"CREATE TEMP TABLE import_fact ON COMMIT DROP AS {wrong_facts('import_touched', columns)}",
        """
        UPDATE ila.citizen_fact fact SET superseded_no = :change_no FROM import_fact wrong
        WHERE fact.citizen_id = wrong.citizen_id AND fact.recorded_no = wrong.recorded_no
            AND fact.valid_from = wrong.valid_from
        """,
        f"""
        INSERT INTO ila.citizen_fact ({names})
        SELECT citizen_id, :change_no, valid_from, facts_from, account_open, {kept}
        FROM import_fact WHERE valid_from < facts_from
        UNION ALL
        SELECT citizen_id, :change_no, facts_from,
            coalesce(valid_until, (
                SELECT min(later.valid_from) FROM ila.citizen_fact later
                WHERE later.citizen_id = wrong.citizen_id AND later.superseded_no = {STILL_KNOWN}
                    AND later.valid_from > wrong.facts_from
            ), '9999-12-31'),
            coalesce(account_open, true), {said}
        FROM import_fact wrong
        """,  # noqa: S608  names of columns only
    )


def new_needs(people: str) -> str:
    """Select the needs of rows that are not known exactly so."""
    return f"""
        SELECT people.line_no, people.citizen_id, need.criterion, need.source, need.valid_from, need.valid_until
        FROM {people} people
        JOIN import_need need ON need.line_no = people.line_no
        WHERE NOT EXISTS (
            SELECT FROM ila.need_attestation held
            WHERE held.citizen_id = people.citizen_id AND held.criterion = need.criterion
                AND held.superseded_no = {STILL_KNOWN} AND held.valid_from = need.valid_from
                AND held.valid_until = need.valid_until AND held.source = need.source
        )
    """  # noqa: S608  a name of our own


def contradicted_needs(people: str) -> str:
    """Select the attestations that rows contradict, each with the day from which it holds no more."""
    return f"""
        SELECT people.line_no, held.citizen_id, held.criterion, held.recorded_no, held.valid_from, held.source,
            coalesce(need.valid_from, person.facts_from) AS cut_from
        FROM {people} people
        JOIN import_person person ON person.line_no = people.line_no
        JOIN ila.need_attestation held ON held.citizen_id = people.citizen_id AND held.superseded_no = {STILL_KNOWN}
        LEFT JOIN import_need need ON need.line_no = people.line_no AND need.criterion = held.criterion
        WHERE held.valid_until > coalesce(need.valid_from, person.facts_from)
            AND (need.line_no IS NOT NULL OR held.source = 'register')
            AND (need.line_no IS NULL OR (held.valid_from, held.valid_until, held.source)
                IS DISTINCT FROM (need.valid_from, need.valid_until, need.source))
    """  # noqa: S608  a name of our own


def need_changes() -> tuple[str, ...]:
    """Return the statements that cut the attestations which rows contradict, and record the new ones."""
    return (
        f"CREATE TEMP TABLE import_cut ON COMMIT DROP AS {contradicted_needs('import_touched')}",
        f"CREATE TEMP TABLE import_attested ON COMMIT DROP AS {new_needs('import_touched')}",
        """
        UPDATE ila.need_attestation held SET superseded_no = :change_no FROM import_cut cut
        WHERE held.citizen_id = cut.citizen_id AND held.criterion = cut.criterion
            AND held.recorded_no = cut.recorded_no AND held.valid_from = cut.valid_from
        """,
        """
        INSERT INTO ila.need_attestation (citizen_id, criterion, recorded_no, valid_from, valid_until, source)
        SELECT citizen_id, criterion, :change_no, valid_from, cut_from, source
        FROM import_cut WHERE valid_from < cut_from
        UNION ALL
        SELECT citizen_id, criterion, :change_no, valid_from, valid_until, source FROM import_attested
        """,
    )


def new_work(people: str) -> str:
    """Select the working time of rows that is not known exactly so, as job 1 of its year."""
    return f"""
        SELECT people.line_no, people.citizen_id, make_date(person.work_year, 1, 1) AS valid_from,
            make_date(person.work_year + 1, 1, 1) AS valid_until, person.work_basis, person.work_done,
            person.work_reference
        FROM {people} people
        JOIN import_person person ON person.line_no = people.line_no
        WHERE person.work_basis IS NOT NULL AND NOT EXISTS (
            SELECT FROM ila.work_record record
            WHERE record.citizen_id = people.citizen_id AND record.job_no = 1
                AND record.superseded_no = {STILL_KNOWN} AND record.valid_from = make_date(person.work_year, 1, 1)
                AND record.valid_until = make_date(person.work_year + 1, 1, 1)
                AND record.basis = person.work_basis AND record.worked = person.work_done
                AND record.reference IS NOT DISTINCT FROM person.work_reference
        )
    """  # noqa: S608  a name of our own


def work_changes() -> tuple[str, ...]:
    """Return the statements that supersede job 1 of the year and record what the rows say."""
    return (
        f"CREATE TEMP TABLE import_work ON COMMIT DROP AS {new_work('import_touched')}",
        f"""
        UPDATE ila.work_record record SET superseded_no = :change_no FROM import_work work
        WHERE record.citizen_id = work.citizen_id AND record.job_no = 1 AND record.superseded_no = {STILL_KNOWN}
            AND record.valid_from < work.valid_until AND record.valid_until > work.valid_from
        """,  # noqa: S608  a constant
        """
        INSERT INTO ila.work_record (citizen_id, job_no, recorded_no, valid_from, valid_until, basis, worked, reference)
        SELECT citizen_id, 1, :change_no, valid_from, valid_until, work_basis, work_done, work_reference
        FROM import_work
        """,
    )
