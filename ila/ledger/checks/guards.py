"""Passes over the database's own belts: keys, privileges, triggers and constraints stand as released."""

# ruff: noqa: S608  the statements are made of our own names and numbers, nothing comes from outside

from ila.ledger.checks.passes import Check, Pass

APPEND_ONLY = (
    "journal_entry",
    "transfer",
    "appropriation",
    "parameter_set",
    "allocation",
    "fact_change",
    "audit_event",
)
"""Tables whose rows are never changed or removed."""

_APPEND_ONLY = ", ".join(f"'{name}'" for name in APPEND_ONLY)
_ROLES = "'ila_app', 'ila_job', 'ila_auditor'"

_JOURNAL_TABLES = f"""
    SELECT relation.oid, relation.relname, relation.relowner FROM pg_class AS relation
      JOIN pg_namespace AS space ON space.oid = relation.relnamespace AND space.nspname = 'ila'
     WHERE relation.relkind IN ('r', 'p')
       AND (relation.relname IN ({_APPEND_ONLY})
            OR relation.oid IN (SELECT inhrelid FROM pg_inherits WHERE inhparent = 'ila.transfer'::regclass))
"""

TRIGGERS = (
    ("journal_entry", "journal_entry_unchanged"),
    ("journal_entry", "journal_entry_not_truncated"),
    ("journal_entry", "journal_entry_in_open_period"),
    ("transfer", "transfer_unchanged"),
    ("transfer", "transfer_not_truncated"),
    ("parameter_set", "parameter_set_unchanged"),
    ("audit_event", "audit_event_unchanged"),
    ("fact_change", "fact_change_unchanged"),
    ("allocation", "allocation_unchanged"),
    ("appropriation", "appropriation_unchanged"),
    ("entitlement", "entitlement_grant_unchanged"),
    ("entitlement", "entitlement_not_deleted"),
    ("citizen_fact", "citizen_fact_unchanged"),
    ("citizen_fact", "citizen_fact_not_deleted"),
    ("need_attestation", "need_attestation_unchanged"),
    ("need_attestation", "need_attestation_not_deleted"),
    ("work_record", "work_record_unchanged"),
    ("work_record", "work_record_not_deleted"),
)
"""Triggers that must stand and fire; each year's partition has those of `transfer` too."""

CHECKS = (
    ("transfer", "ck_transfer_amount_positive"),
    ("transfer", "ck_transfer_two_accounts"),
    ("entitlement", "ck_entitlement_available_within_granted"),
    ("entitlement", "ck_entitlement_granted_positive"),
    ("fund_balance", "ck_fund_balance_available_not_negative"),
    ("appropriation", "ck_appropriation_amount_positive"),
    ("journal_entry", "ck_journal_entry_parameter_digest"),
    ("allocation_run", "ck_allocation_run_four_eyes"),
)
"""Constraints without which a balance could fall below zero or a run be approved by its author."""

UNIQUE = (
    ("journal_entry", "pk_journal_entry"),
    ("journal_entry", "uq_journal_entry_citizen_id_kind_source_id_step"),
    ("journal_entry", "uq_journal_entry_reverses"),
    ("transfer", "pk_transfer"),
    ("entitlement", "pk_entitlement"),
    ("fund_balance", "pk_fund_balance"),
    ("appropriation", "uq_appropriation_fund_id_reference"),
    ("allocation", "pk_allocation"),
    ("allocation_slice", "pk_allocation_slice"),
    ("allocation_run", "uq_allocation_run_period"),
    ("parameter_set", "pk_parameter_set"),
    ("ledger_period", "pk_ledger_period"),
    ("citizen", "pk_citizen"),
)
"""Unique indexes that make an event happen once."""


def _values(pairs: tuple[tuple[str, str], ...]) -> str:
    return ", ".join(f"('{table}', '{name}')" for table, name in pairs)


GRANTS = Pass(
    "grants",
    "No role of the application may change or remove what is booked; triggers and constraints stand as released.",
    (
        Check(
            "a role may change or remove rows of the journal",
            f"""
            SELECT role.rolname AS role, journal.relname AS relation, privilege.name AS privilege
              FROM ({_JOURNAL_TABLES}) AS journal
             CROSS JOIN (SELECT oid, rolname FROM pg_roles WHERE rolname IN ({_ROLES})) AS role
             CROSS JOIN (VALUES ('UPDATE'), ('DELETE'), ('TRUNCATE'), ('TRIGGER')) AS privilege (name)
             WHERE has_table_privilege(role.oid, journal.oid, privilege.name)
                OR (privilege.name = 'UPDATE' AND has_any_column_privilege(role.oid, journal.oid, 'UPDATE'))
            """,
        ),
        Check(
            "a role may change more of an entitlement or a fund than what is available",
            f"""
            SELECT role.rolname AS role, relation.relname AS relation, part.attname AS part
              FROM pg_attribute AS part
              JOIN pg_class AS relation ON relation.oid = part.attrelid
             CROSS JOIN (SELECT oid, rolname FROM pg_roles WHERE rolname IN ({_ROLES})) AS role
             WHERE part.attrelid IN ('ila.entitlement'::regclass, 'ila.fund_balance'::regclass)
               AND part.attnum > 0 AND NOT part.attisdropped
               AND ((part.attname <> 'available_minor'
                     AND has_column_privilege(role.oid, part.attrelid, part.attnum, 'UPDATE'))
                    OR has_table_privilege(role.oid, part.attrelid, 'DELETE')
                    OR has_table_privilege(role.oid, part.attrelid, 'TRUNCATE'))
            """,
        ),
        Check(
            "a role of the application has powers that pass by every grant",
            f"""
            SELECT role.rolname AS role, role.rolsuper AS superuser, role.rolbypassrls AS bypasses_row_security,
                   pg_has_role(role.oid, owned.relowner, 'MEMBER') AS member_of_owner
              FROM pg_roles AS role
             CROSS JOIN (SELECT relowner FROM pg_class WHERE oid = 'ila.journal_entry'::regclass) AS owned
             WHERE role.rolname IN ({_ROLES})
               AND (role.rolsuper OR role.rolbypassrls OR role.rolcreaterole
                    OR pg_has_role(role.oid, owned.relowner, 'MEMBER'))
            """,
        ),
        Check(
            "a trigger is missing or switched off",
            f"""
            SELECT wanted.relation, wanted.belt, coalesce(found.tgenabled::text, 'missing') AS state
              FROM (SELECT listed.relation, listed.belt FROM (VALUES {_values(TRIGGERS)}) AS listed (relation, belt)
                    UNION ALL
                    SELECT part.relname, belt.name
                      FROM pg_inherits JOIN pg_class AS part ON part.oid = inhrelid,
                           LATERAL (VALUES ('transfer_unchanged'), (part.relname || '_not_truncated')) AS belt (name)
                     WHERE inhparent = 'ila.transfer'::regclass) AS wanted (relation, belt)
              LEFT JOIN pg_trigger AS found
                ON found.tgrelid = to_regclass('ila.' || wanted.relation) AND found.tgname = wanted.belt
             WHERE coalesce(found.tgenabled::text, 'missing') NOT IN ('O', 'A')
            """,
        ),
        Check(
            "a constraint is missing or was never validated",
            f"""
            SELECT wanted.relation, wanted.name
              FROM (VALUES {_values(CHECKS)}) AS wanted (relation, name)
              LEFT JOIN pg_constraint AS found
                ON found.conrelid = to_regclass('ila.' || wanted.relation) AND found.conname = wanted.name
             WHERE found.convalidated IS NOT TRUE
            """,
        ),
    ),
)


def _duplicates(table: str, keys: str, *, by_citizen: bool = False) -> Check:
    within = "citizen_id BETWEEN :first AND :last" if by_citizen else "true"
    return Check(
        f"{table} has two rows of one key",
        f"""
        SELECT {keys}, count(*) AS rows FROM ila.{table} WHERE {within} GROUP BY {keys} HAVING count(*) > 1
        """,
        by_citizen=by_citizen,
    )


NATURAL_KEYS = Pass(
    "natural_keys",
    "Every event is booked once: the unique indexes stand, and no two rows share a key.",
    (
        Check(
            "a unique index is missing or not valid",
            f"""
            SELECT wanted.relation, wanted.name
              FROM (SELECT listed.relation, listed.name FROM (VALUES {_values(UNIQUE)}) AS listed (relation, name)
                    UNION ALL
                    SELECT part.relname, 'pk_' || part.relname
                      FROM pg_inherits JOIN pg_class AS part ON part.oid = inhrelid
                     WHERE inhparent = 'ila.transfer'::regclass) AS wanted (relation, name)
              LEFT JOIN pg_index AS found ON found.indexrelid = to_regclass('ila.' || wanted.name)
                    AND found.indrelid = to_regclass('ila.' || wanted.relation)
             WHERE (found.indisunique AND found.indisvalid) IS NOT TRUE
            """,
        ),
        _duplicates("journal_entry", "citizen_id, kind, source_id, step"),
        _duplicates("journal_entry", "citizen_id, journal_entry_id"),
        _duplicates("entitlement", "citizen_id, allocation_run_id", by_citizen=True),
        _duplicates("transfer", "citizen_id, journal_entry_id, line", by_citizen=True),
        _duplicates("appropriation", "fund_id, reference"),
        _duplicates("allocation", "citizen_id, allocation_run_id", by_citizen=True),
        _duplicates("allocation_slice", "journal_entry_id"),
    ),
)
