"""Passes over the dated facts that explanations rest on: one answer for each day, known from one change to another."""

# ruff: noqa: S608  the statements are made of our own names and numbers, nothing comes from outside

from ila.ledger.checks.passes import Check, Pass

_NOW = "superseded_no = 9223372036854775807"
"""Rows that are known at this moment."""


def _overlaps(table: str, keys: str) -> Check:
    return Check(
        f"two current rows of {table} tell about the same day",
        f"""
        SELECT {keys}, valid_from, previous_until
          FROM (SELECT {keys}, valid_from,
                       lag(valid_until) OVER (PARTITION BY {keys} ORDER BY valid_from) AS previous_until
                  FROM ila.{table} WHERE {_NOW} AND citizen_id BETWEEN :first AND :last) AS version
         WHERE valid_from < previous_until
        """,
        by_citizen=True,
    )


def _ranges(table: str) -> Check:
    return Check(
        f"a row of {table} ends before it begins, or was known by no numbered change",
        f"""
        SELECT version.citizen_id, version.recorded_no, version.valid_from
          FROM ila.{table} AS version
          LEFT JOIN ila.fact_change AS change ON change.fact_change_no = version.recorded_no
         WHERE version.valid_from >= version.valid_until OR version.recorded_no >= version.superseded_no
            OR change.fact_change_no IS NULL
        """,
    )


FACTS = Pass(
    "facts",
    "For each citizen and day there is one current fact, and every fact was recorded by a numbered change.",
    (
        _overlaps("citizen_fact", "citizen_id"),
        _overlaps("need_attestation", "citizen_id, criterion"),
        _overlaps("work_record", "citizen_id, job_no"),
        _ranges("citizen_fact"),
        _ranges("need_attestation"),
        _ranges("work_record"),
    ),
)
