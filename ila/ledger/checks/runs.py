"""Passes over allocation runs: what was approved, what the slices say, what was granted and what was booked."""

# ruff: noqa: S608  the statements are made of our own names and numbers, nothing comes from outside

from ila.ledger.chart import AccountKind, EntryKind
from ila.ledger.checks.passes import Check, Pass

_K = AccountKind
_SOURCES = f"{_K.FUND:d}, {_K.CONVERSION:d}, {_K.MOVING:d}"

RUNS = Pass(
    "runs",
    "What a run granted is what its slices counted, what was booked for it, and what was approved.",
    (
        Check(
            "a slice does not agree with the lines of its entry",
            """
            SELECT part.allocation_run_id, part.slice_no, part.state, part.credited, booked.citizens AS citizens_booked,
                   part.amount_minor, booked.amount_minor AS booked_minor
              FROM ila.allocation_slice AS part
              LEFT JOIN (SELECT line.journal_entry_id, count(*) FILTER (WHERE line.line = 1) AS citizens,
                                sum(line.amount_minor)::bigint AS amount_minor
                           FROM ila.transfer AS line
                           JOIN ila.allocation_slice AS named ON named.journal_entry_id = line.journal_entry_id
                          GROUP BY 1) AS booked ON booked.journal_entry_id = part.journal_entry_id
             WHERE part.credited <> coalesce(booked.citizens, 0)
                OR part.amount_minor <> coalesce(booked.amount_minor, 0)
            """,
        ),
        Check(
            "the entitlements of a run are not what was booked for it",
            f"""
            SELECT allocation_run_id, sum(granted_minor)::bigint AS granted_minor,
                   sum(booked_minor)::bigint AS booked_minor
              FROM (SELECT allocation_run_id, sum(granted_minor) AS granted_minor, 0 AS booked_minor
                      FROM ila.entitlement GROUP BY 1
                    UNION ALL
                    SELECT credit_id, 0, sum(amount_minor) FROM ila.transfer
                     WHERE credit_kind = {_K.ENTITLEMENT:d} AND debit_kind IN ({_SOURCES}) GROUP BY 1
                    UNION ALL
                    SELECT line.credit_id, 0,
                           sum(CASE WHEN entry.kind = {EntryKind.RETURN:d} AND line.debit_kind = {_K.RESERVED:d}
                                    THEN line.amount_minor
                                    WHEN entry.kind IN ({EntryKind.REVERSAL:d}, {EntryKind.CORRECTION:d})
                                     AND line.debit_kind IN ({_SOURCES})
                                    THEN -line.amount_minor ELSE 0 END)
                      FROM ila.journal_entry AS entry
                      JOIN ila.transfer AS line
                        ON line.citizen_id = entry.citizen_id AND line.journal_entry_id = entry.journal_entry_id
                     WHERE entry.citizen_id <> 0 AND line.credit_kind = {_K.ENTITLEMENT:d}
                       AND entry.kind IN ({EntryKind.RETURN:d}, {EntryKind.REVERSAL:d}, {EntryKind.CORRECTION:d})
                     GROUP BY 1) AS side
             GROUP BY allocation_run_id HAVING sum(granted_minor) <> sum(booked_minor)
            """,
        ),
        Check(
            "a finished run gave something else than was approved, or has open slices",
            """
            SELECT run.allocation_run_id, run.kind, (run.plan ->> 'amount_minor')::bigint AS approved_minor,
                   given.amount_minor, given.open_slices
              FROM ila.allocation_run AS run
              JOIN (SELECT allocation_run_id, sum(amount_minor)::bigint AS amount_minor,
                           sum(credited)::bigint AS credited,
                           count(*) FILTER (WHERE state = 'open') AS open_slices
                      FROM ila.allocation_slice GROUP BY 1) AS given USING (allocation_run_id)
             WHERE run.state IN ('finished', 'reversed')
               AND (given.open_slices > 0
                    OR (run.kind IN ('yearly', 'cohort')
                        AND ((run.plan ->> 'amount_minor')::bigint, (run.plan ->> 'credited')::bigint)
                            IS DISTINCT FROM (given.amount_minor, given.credited)))
            """,
        ),
        Check(
            "two slices of a run overlap, or leave out citizens between them",
            """
            SELECT allocation_run_id, slice_no, first_citizen_id, before_it
              FROM (SELECT allocation_run_id, slice_no, first_citizen_id,
                           lag(last_citizen_id) OVER (PARTITION BY allocation_run_id ORDER BY slice_no) AS before_it
                      FROM ila.allocation_slice) AS part
             WHERE first_citizen_id <> before_it + 1
            """,
        ),
        Check(
            "a citizen is listed without a credit and has one from the same run",
            """
            SELECT nothing.citizen_id, nothing.allocation_run_id, nothing.reason
              FROM ila.allocation AS nothing
              JOIN ila.entitlement AS held
                ON held.citizen_id = nothing.citizen_id AND held.allocation_run_id = nothing.allocation_run_id
             WHERE nothing.citizen_id BETWEEN :first AND :last AND held.citizen_id BETWEEN :first AND :last
            """,
            by_citizen=True,
        ),
    ),
)
