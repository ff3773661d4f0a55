"""Passes over balances: stored ones equal their transfers, none is out of bounds, and nothing was lost or made."""

# ruff: noqa: S608  the statements are made of our own names and numbers, nothing comes from outside

from ila.ledger.chart import CHART, AccountKind, NormalSide
from ila.ledger.checks.passes import Check, Pass

_K = AccountKind
_CREDIT_SIDE = ", ".join(
    f"{kind:d}"
    for kind, line in CHART.items()
    if line.normal_side is NormalSide.CREDIT and not line.may_be_negative and kind is not _K.ENTITLEMENT
)
_DEBIT_SIDE = ", ".join(
    f"{kind:d}" for kind, line in CHART.items() if line.normal_side is NormalSide.DEBIT and not line.may_be_negative
)

BALANCES = Pass(
    "balances",
    "What is available of every entitlement is what its transfers brought less what they took.",
    (
        Check(
            "an entitlement does not hold what its transfers say",
            f"""
            SELECT side.citizen_id, side.allocation_run_id, held.available_minor,
                   coalesce(held.available_minor, 0) - side.surplus_minor AS booked_minor, side.entitlements
              FROM (SELECT citizen_id, allocation_run_id, sum(amount_minor)::bigint AS surplus_minor,
                           sum(entitlement) AS entitlements
                      FROM (SELECT citizen_id, allocation_run_id, available_minor AS amount_minor, 1 AS entitlement
                              FROM ila.entitlement WHERE citizen_id BETWEEN :first AND :last
                            UNION ALL
                            SELECT citizen_id,
                                   CASE {_K.ENTITLEMENT:d} WHEN credit_kind THEN credit_id ELSE debit_id END,
                                   CASE {_K.ENTITLEMENT:d} WHEN credit_kind THEN -amount_minor ELSE amount_minor END, 0
                              FROM ila.transfer
                             WHERE citizen_id BETWEEN :first AND :last
                               AND (credit_kind = {_K.ENTITLEMENT:d} OR debit_kind = {_K.ENTITLEMENT:d})) AS line
                     GROUP BY citizen_id, allocation_run_id
                    HAVING sum(amount_minor) <> 0 OR sum(entitlement) <> 1) AS side
              LEFT JOIN ila.entitlement AS held
                ON held.citizen_id = side.citizen_id AND held.allocation_run_id = side.allocation_run_id
            """,
            by_citizen=True,
        ),
    ),
)

BOUNDS = Pass(
    "bounds",
    "No balance is below zero where the chart forbids it, and nothing is available beyond what was granted.",
    (
        Check(
            "an entitlement is out of bounds",
            """
            SELECT citizen_id, allocation_run_id, granted_minor, available_minor FROM ila.entitlement
             WHERE available_minor < 0 OR available_minor > granted_minor OR granted_minor <= 0
            """,
        ),
        Check(
            "the balance of a limited fund is below zero",
            "SELECT fund_id, available_minor FROM ila.fund_balance WHERE available_minor < 0",
        ),
        Check(
            "an account is on the wrong side of zero",
            f"""
            SELECT scheme_id, kind, id, sum(amount_minor)::bigint AS balance_minor
              FROM (SELECT scheme_id, credit_kind AS kind, credit_id AS id, amount_minor FROM ila.transfer
                     WHERE credit_kind IN ({_CREDIT_SIDE}, {_DEBIT_SIDE})
                    UNION ALL
                    SELECT scheme_id, debit_kind, debit_id, -amount_minor FROM ila.transfer
                     WHERE debit_kind IN ({_CREDIT_SIDE}, {_DEBIT_SIDE})) AS side
             GROUP BY scheme_id, kind, id
            HAVING (kind IN ({_CREDIT_SIDE}) AND sum(amount_minor) < 0)
                OR (kind IN ({_DEBIT_SIDE}) AND sum(amount_minor) > 0)
                OR (kind = {_K.MOVING:d} AND sum(amount_minor) <> 0)
            """,
        ),
    ),
)

FUNDS = Pass(
    "funds",
    "What a limited fund can still give is what it received less what it gave; every appropriation is booked once.",
    (
        Check(
            "the balance of a limited fund is not the sum of its transfers",
            f"""
            SELECT fund.fund_id, coalesce(stored.available_minor, 0) AS available_minor,
                   coalesce(booked.amount_minor, 0) AS booked_minor
              FROM ila.fund AS fund
              LEFT JOIN ila.fund_balance AS stored ON stored.fund_id = fund.fund_id
              LEFT JOIN (SELECT fund_id, sum(amount_minor)::bigint AS amount_minor
                           FROM (SELECT credit_id AS fund_id, amount_minor FROM ila.transfer
                                  WHERE credit_kind = {_K.FUND:d}
                                 UNION ALL
                                 SELECT debit_id, -amount_minor FROM ila.transfer
                                  WHERE debit_kind = {_K.FUND:d}) AS side
                          GROUP BY fund_id) AS booked ON booked.fund_id = fund.fund_id
             WHERE fund.limited AND coalesce(stored.available_minor, 0) <> coalesce(booked.amount_minor, 0)
            """,
        ),
        Check(
            "a fund without a limit has a stored balance, or a balance has no fund",
            """
            SELECT stored.fund_id, stored.available_minor FROM ila.fund_balance AS stored
              LEFT JOIN ila.fund AS fund ON fund.fund_id = stored.fund_id
             WHERE fund.limited IS NOT TRUE
            """,
        ),
        Check(
            "an appropriation is not what its entry says",
            """
            SELECT given.appropriation_id, given.fund_id, given.amount_minor, booked.amount_minor AS booked_minor
              FROM ila.appropriation AS given
              FULL JOIN (SELECT entry.source_id, line.credit_id AS fund_id,
                                sum(line.amount_minor)::bigint AS amount_minor
                           FROM ila.journal_entry AS entry
                           JOIN ila.transfer AS line
                             ON line.citizen_id = 0 AND line.journal_entry_id = entry.journal_entry_id
                          WHERE entry.citizen_id = 0 AND entry.kind = 1
                          GROUP BY 1, 2) AS booked
                ON booked.source_id = given.appropriation_id AND booked.fund_id = given.fund_id
             WHERE given.amount_minor IS DISTINCT FROM booked.amount_minor
            """,
        ),
    ),
)

CONSERVATION = Pass(
    "conservation",
    "In each scheme, what came from outside is what citizens can use, plus what lies in every other account.",
    (
        Check(
            "what came from outside is not what is there",
            f"""
            SELECT scheme_id, sum(amount_minor)::bigint AS missing_minor
              FROM (SELECT scheme_id, sum(available_minor) AS amount_minor FROM ila.entitlement GROUP BY scheme_id
                    UNION ALL
                    SELECT scheme_id, sum(CASE WHEN credit_kind = {_K.ENTITLEMENT:d} THEN 0 ELSE amount_minor END
                                        - CASE WHEN debit_kind = {_K.ENTITLEMENT:d} THEN 0 ELSE amount_minor END)
                      FROM ila.transfer GROUP BY scheme_id) AS place
             GROUP BY scheme_id HAVING sum(amount_minor) <> 0
            """,
        ),
    ),
)
