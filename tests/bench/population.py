"""A population made in the database: as many citizens as wanted, with needs, incomes and ages that vary."""

from sqlalchemy import Connection, text

from ila.schemes.policy import AllocationPolicy

ATTESTED_PER_CRITERION = 8
"""Of a hundred citizens, how many hold each attested criterion: about one attestation per citizen in all."""


def populate(connection: Connection, citizens: int, policy: AllocationPolicy) -> None:
    """Insert citizens 1 to `citizens` with one row of facts each and attestations of the policy's criteria.

    Hashes of the id stand for chance, so that every run of the benchmark has the same people.
    """
    connection.execute(text("SELECT setval('ila.citizen_id_seq', :last)"), {"last": citizens})
    connection.execute(text("SELECT nextval('ila.fact_change_seq')"))
    connection.execute(
        text(
            "INSERT INTO ila.citizen (citizen_id, reference, status, opened_on)"
            " SELECT i, 'bench' || i, 'open', '2020-01-01' FROM generate_series(1, :citizens) i"
        ),
        {"citizens": citizens},
    )
    connection.execute(
        text(
            """
            INSERT INTO ila.citizen_fact (citizen_id, recorded_no, valid_from, born_on, qualification_level,
                income_minor, account_open, resides_here, works_here, national, employment_status, region)
            SELECT i, 1, '2020-01-01', date '1955-01-01' + (abs(hashint8(i)) % 19000), 2 + abs(hashint8(i + 7)) % 6,
                (abs(hashint8(i + 5)) % 60000) * 100, true, true, true, true,
                (ARRAY['employee', 'self_employed', 'jobseeker', 'inactive'])[1 + abs(hashint8(i + 3)) % 4],
                'BE' || 1 + abs(hashint8(i + 9)) % 3
            FROM generate_series(1, :citizens) i
            """
        ),
        {"citizens": citizens},
    )
    for number, need in enumerate(need for need in policy.needs if need.condition.attested):
        connection.execute(
            text(
                """
                INSERT INTO ila.need_attestation (citizen_id, criterion, recorded_no, valid_from, source)
                SELECT i, :criterion, 1, '2020-01-01', 'register' FROM generate_series(1, :citizens) i
                WHERE abs(hashint8(i * 31 + :number)) % 100 < :share
                """
            ),
            {
                "criterion": need.criterion,
                "citizens": citizens,
                "number": number,
                "share": ATTESTED_PER_CRITERION,
            },
        )
