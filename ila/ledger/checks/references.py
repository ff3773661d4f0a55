"""Passes in place of foreign keys: nothing in the journal points to something that does not exist."""

# ruff: noqa: S608  the statements are made of our own names and numbers, nothing comes from outside

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from ila.ledger.chart import AccountKind
from ila.ledger.checks.journal import FUND_KINDS
from ila.ledger.checks.passes import Check, Pass

_K = AccountKind

REFERENCES = Pass(
    "references",
    "Every fund, run, scheme and citizen that a line, an entry or an entitlement names exists.",
    (
        Check(
            "a line or an entitlement names a citizen that does not exist",
            """
            SELECT named.citizen_id, named.held_by, count(*) AS rows FROM (
                SELECT citizen_id, 'transfer' AS held_by FROM ila.transfer
                 WHERE citizen_id BETWEEN :first AND :last AND citizen_id <> 0
                UNION ALL
                SELECT citizen_id, 'entitlement' FROM ila.entitlement WHERE citizen_id BETWEEN :first AND :last
                UNION ALL
                SELECT citizen_id, 'journal_entry' FROM ila.journal_entry
                 WHERE citizen_id BETWEEN :first AND :last AND citizen_id <> 0) AS named
              LEFT JOIN ila.citizen AS citizen
                ON citizen.citizen_id = named.citizen_id AND citizen.citizen_id BETWEEN :first AND :last
             WHERE citizen.citizen_id IS NULL
             GROUP BY 1, 2
            """,
            by_citizen=True,
        ),
        Check(
            "lines name a fund that does not exist",
            f"""
            SELECT side.fund_id, side.lines FROM (
                SELECT account.id AS fund_id, sum(pair.lines)::bigint AS lines
                  FROM (SELECT CASE WHEN debit_kind IN ({FUND_KINDS}) THEN debit_id END AS debit_fund,
                               CASE WHEN credit_kind IN ({FUND_KINDS}) THEN credit_id END AS credit_fund,
                               count(*) AS lines
                          FROM ila.transfer
                         WHERE debit_kind IN ({FUND_KINDS}) OR credit_kind IN ({FUND_KINDS})
                         GROUP BY 1, 2) AS pair,
                       LATERAL (VALUES (debit_fund), (credit_fund)) AS account (id)
                 WHERE account.id IS NOT NULL GROUP BY 1) AS side
             WHERE NOT EXISTS (SELECT FROM ila.fund AS fund WHERE fund.fund_id = side.fund_id)
            """,
        ),
        Check(
            "lines name a run or a scheme that does not exist",
            f"""
            SELECT side.run_id, side.scheme_id, side.lines FROM (
                SELECT CASE {_K.ENTITLEMENT:d} WHEN credit_kind THEN credit_id
                            WHEN debit_kind THEN debit_id END AS run_id,
                       scheme_id, count(*) AS lines FROM ila.transfer GROUP BY 1, 2) AS side
             WHERE (side.run_id IS NOT NULL AND NOT EXISTS (
                        SELECT FROM ila.allocation_run AS run WHERE run.allocation_run_id = side.run_id))
                OR NOT EXISTS (SELECT FROM ila.scheme AS scheme WHERE scheme.scheme_id = side.scheme_id)
            """,
        ),
        Check(
            "entitlements name a run, a fund or a scheme that does not exist",
            """
            SELECT held.allocation_run_id, held.fund_id, held.scheme_id FROM (
                SELECT DISTINCT allocation_run_id, fund_id, scheme_id FROM ila.entitlement) AS held
             WHERE NOT EXISTS (SELECT FROM ila.allocation_run AS run
                                WHERE run.allocation_run_id = held.allocation_run_id)
                OR NOT EXISTS (SELECT FROM ila.fund AS fund WHERE fund.fund_id = held.fund_id)
                OR NOT EXISTS (SELECT FROM ila.scheme AS scheme WHERE scheme.scheme_id = held.scheme_id)
            """,
        ),
    ),
)


def _changed_parameter_sets(session: Session) -> Iterable[Mapping[str, Any]]:
    """Yield the stored sets whose SHA-256 is not their key: canonical JSON, sorted keys, no spaces, UTF-8."""
    for digest, scheme_id, canonical in session.execute(
        text("SELECT digest, scheme_id, canonical FROM ila.parameter_set ORDER BY digest")
    ):
        written = json.dumps(canonical, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        if hashlib.sha256(written.encode()).digest() != bytes(digest):
            yield {"parameter_set": bytes(digest).hex()[:16], "scheme_id": scheme_id}


DIGESTS = Pass(
    "digests",
    "The parameter set behind every entry and run is stored, and is what its digest says.",
    (
        Check(
            "entries carry the digest of a parameter set that is not stored",
            """
            SELECT left(encode(used.parameter_digest, 'hex'), 16) AS parameter_set, used.entries FROM (
                SELECT parameter_digest, count(*) AS entries FROM ila.journal_entry GROUP BY 1) AS used
             WHERE NOT EXISTS (SELECT FROM ila.parameter_set AS known WHERE known.digest = used.parameter_digest)
            """,
        ),
        Check(
            "a run was decided by a parameter set that is not stored",
            """
            SELECT run.allocation_run_id, left(encode(run.parameter_digest, 'hex'), 16) AS parameter_set
              FROM ila.allocation_run AS run
             WHERE run.parameter_digest IS NOT NULL
               AND NOT EXISTS (SELECT FROM ila.parameter_set AS known WHERE known.digest = run.parameter_digest)
            """,
        ),
        Check("a stored parameter set is not what its digest says", search=_changed_parameter_sets),
    ),
)
