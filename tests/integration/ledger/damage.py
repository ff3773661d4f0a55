"""Damage to a ledger, as SQL of a superuser who has switched off triggers and foreign keys."""

SLICE = "(SELECT min(journal_entry_id) FROM ila.journal_entry WHERE citizen_id = 0 AND kind = 2)"
OWN = "(SELECT min(journal_entry_id) FROM ila.journal_entry WHERE citizen_id <> 0 AND kind = 8)"
REVERSAL = "(SELECT min(journal_entry_id) FROM ila.journal_entry WHERE kind = 10)"
COPY_ENTRY = (
    "INSERT INTO ila.journal_entry SELECT citizen_id, journal_entry_id + 900000000, {source}, actor_id, reverses,"
    " recorded_at, effective_on, period, kind, step, parameter_digest, detail_digest FROM ila.journal_entry"
    " WHERE journal_entry_id = "
)
DROP_NATURAL_KEY = "ALTER TABLE ila.journal_entry DROP CONSTRAINT uq_journal_entry_citizen_id_kind_source_id_step; "

DAMAGE = {
    # entries
    "an entry removed": (
        "entries",
        "a line has no entry",
        f"DELETE FROM ila.journal_entry WHERE journal_entry_id = {SLICE}",
    ),
    "the lines of an entry removed": (
        "entries",
        "an entry has no lines",
        f"DELETE FROM ila.transfer WHERE journal_entry_id = {OWN}",
    ),
    "a gap in the lines": (
        "entries",
        "the lines of an entry are not numbered from 1 without a gap",
        f"UPDATE ila.transfer SET line = 9 WHERE line = 2 AND journal_entry_id = {OWN}",
    ),
    # lines
    "a slice that takes from outside": (
        "lines",
        "a line of a slice has accounts or a day that its entry may not have",
        f"UPDATE ila.transfer SET debit_kind = 1 WHERE journal_entry_id = {SLICE}",
    ),
    "an entry with lines of another kind": (
        "lines",
        "a line has accounts or a day that its entry may not have",
        f"UPDATE ila.transfer SET credit_kind = 7 WHERE journal_entry_id = {OWN}",
    ),
    "a line of another day": (
        "lines",
        "a line of a slice has accounts or a day that its entry may not have",
        f"UPDATE ila.transfer SET effective_on = '2020-01-01' WHERE journal_entry_id = {SLICE} AND citizen_id = 1",
    ),
    "a negative amount": (
        "lines",
        "a line has no positive amount or the same account twice",
        (
            "ALTER TABLE ila.transfer DROP CONSTRAINT ck_transfer_amount_positive;"
            f"UPDATE ila.transfer SET amount_minor = -5 WHERE journal_entry_id = {OWN} AND line = 1"
        ),
    ),
    "an account against itself": (
        "lines",
        "a line has no positive amount or the same account twice",
        (
            "ALTER TABLE ila.transfer DROP CONSTRAINT ck_transfer_two_accounts;"
            "UPDATE ila.transfer SET credit_kind = debit_kind, credit_id = debit_id"
            f" WHERE journal_entry_id = {OWN} AND line = 1"
        ),
    ),
    # units
    "hours booked as money": (
        "units",
        "lines of one scheme touch a fund of another",
        "UPDATE ila.transfer SET scheme_id = 1 WHERE scheme_id = 2 AND debit_kind = 2",
    ),
    "a run of another unit": (
        "units",
        "lines of one scheme touch entitlements of a run of another",
        "UPDATE ila.transfer SET scheme_id = 1 WHERE scheme_id = 2 AND credit_kind = 12",
    ),
    "an entitlement of another unit": (
        "units",
        "entitlements are of another scheme than their run or fund",
        "UPDATE ila.entitlement SET scheme_id = 2 WHERE scheme_id = 1",
    ),
    # balances
    "money made in an entitlement": (
        "balances",
        "an entitlement does not hold what its transfers say",
        "UPDATE ila.entitlement SET available_minor = granted_minor WHERE available_minor = 0",
    ),
    "a line removed": (
        "balances",
        "an entitlement does not hold what its transfers say",
        f"DELETE FROM ila.transfer WHERE citizen_id = 1 AND journal_entry_id = {SLICE}",
    ),
    "an entitlement removed": (
        "balances",
        "an entitlement does not hold what its transfers say",
        "DELETE FROM ila.entitlement WHERE citizen_id = 1",
    ),
    # bounds
    "an overdrawn entitlement": (
        "bounds",
        "an entitlement is out of bounds",
        (
            "ALTER TABLE ila.entitlement DROP CONSTRAINT ck_entitlement_available_within_granted;"
            "UPDATE ila.entitlement SET available_minor = -1 WHERE citizen_id = 1"
        ),
    ),
    "more available than granted": (
        "bounds",
        "an entitlement is out of bounds",
        (
            "ALTER TABLE ila.entitlement DROP CONSTRAINT ck_entitlement_available_within_granted;"
            "UPDATE ila.entitlement SET available_minor = granted_minor + 1 WHERE citizen_id = 1"
        ),
    ),
    "an overdrawn fund": (
        "bounds",
        "the balance of a limited fund is below zero",
        (
            "ALTER TABLE ila.fund_balance DROP CONSTRAINT ck_fund_balance_available_not_negative;"
            "UPDATE ila.fund_balance SET available_minor = -1"
        ),
    ),
    "expired money below zero": (
        "bounds",
        "an account is on the wrong side of zero",
        "UPDATE ila.transfer SET debit_kind = 8 WHERE debit_kind = 2",
    ),
    "half of a joining": (
        "bounds",
        "an account is on the wrong side of zero",
        "DELETE FROM ila.transfer WHERE debit_kind = 12",
    ),
    # funds
    "money made in a fund": (
        "funds",
        "the balance of a limited fund is not the sum of its transfers",
        "UPDATE ila.fund_balance SET available_minor = available_minor + 1",
    ),
    "a balance of a fund without limit": (
        "funds",
        "a fund without a limit has a stored balance, or a balance has no fund",
        "INSERT INTO ila.fund_balance VALUES (1, 5)",
    ),
    "an appropriation of another amount": (
        "funds",
        "an appropriation is not what its entry says",
        "UPDATE ila.appropriation SET amount_minor = amount_minor + 1",
    ),
    "an appropriation removed": (
        "funds",
        "an appropriation is not what its entry says",
        "DELETE FROM ila.appropriation",
    ),
    # conservation
    "an entitlement that nobody paid": (
        "conservation",
        "what came from outside is not what is there",
        (
            "INSERT INTO ila.entitlement SELECT 3, allocation_run_id, 7, 7, 0, expires_on, fund_id, 0, scheme_id,"
            " source FROM ila.entitlement LIMIT 1"
        ),
    ),
    # runs
    "a slice that counted more": (
        "runs",
        "a slice does not agree with the lines of its entry",
        "UPDATE ila.allocation_slice SET amount_minor = amount_minor + 1",
    ),
    "a slice that counted fewer people": (
        "runs",
        "a slice does not agree with the lines of its entry",
        "UPDATE ila.allocation_slice SET credited = credited - 1",
    ),
    "an open slice with lines": (
        "runs",
        "a finished run gave something else than was approved, or has open slices",
        "UPDATE ila.allocation_slice SET state = 'open'",
    ),
    "a grant raised afterwards": (
        "runs",
        "the entitlements of a run are not what was booked for it",
        "UPDATE ila.entitlement SET granted_minor = granted_minor + 1",
    ),
    "a plan changed after approval": (
        "runs",
        "a finished run gave something else than was approved, or has open slices",
        """UPDATE ila.allocation_run SET plan = jsonb_set(plan, '{amount_minor}', '701') WHERE kind = 'yearly'""",
    ),
    "slices that overlap": (
        "runs",
        "two slices of a run overlap, or leave out citizens between them",
        "INSERT INTO ila.allocation_slice SELECT allocation_run_id, 2, 1000, 2000, 5, 'done' FROM ila.allocation_slice",
    ),
    "a credit and a reason against it": (
        "runs",
        "a citizen is listed without a credit and has one from the same run",
        "INSERT INTO ila.allocation SELECT citizen_id, allocation_run_id, 0, 'CEILING' FROM ila.entitlement LIMIT 1",
    ),
    # natural keys
    "an event booked twice": (
        "natural_keys",
        "journal_entry has two rows of one key",
        DROP_NATURAL_KEY + COPY_ENTRY.format(source="source_id") + SLICE,
    ),
    "an entitlement stored twice": (
        "natural_keys",
        "entitlement has two rows of one key",
        (
            "ALTER TABLE ila.entitlement DROP CONSTRAINT pk_entitlement;"
            "INSERT INTO ila.entitlement SELECT * FROM ila.entitlement WHERE citizen_id = 1"
        ),
    ),
    "a line stored twice": (
        "natural_keys",
        "transfer has two rows of one key",
        "ALTER TABLE ila.transfer DROP CONSTRAINT pk_transfer; INSERT INTO ila.transfer SELECT * FROM ila.transfer",
    ),
    "a unique index dropped": (
        "natural_keys",
        "a unique index is missing or not valid",
        "DROP INDEX ila.uq_journal_entry_reverses",
    ),
    "a number of two slices": (
        "natural_keys",
        "allocation_slice has two rows of one key",
        (
            "INSERT INTO ila.allocation_slice SELECT allocation_run_id, 2, 1001, 2000, journal_entry_id, 'done'"
            " FROM ila.allocation_slice"
        ),
    ),
    "a number of two entries": (
        "natural_keys",
        "journal_entry has two rows of one key",
        (
            "ALTER TABLE ila.journal_entry DROP CONSTRAINT pk_journal_entry;"
            "INSERT INTO ila.journal_entry SELECT citizen_id, journal_entry_id, 5, actor_id, NULL, recorded_at,"
            " effective_on, period, kind, step, parameter_digest FROM ila.journal_entry WHERE kind = 8"
        ),
    ),
    "an appropriation stored twice": (
        "natural_keys",
        "appropriation has two rows of one key",
        (
            "ALTER TABLE ila.appropriation DROP CONSTRAINT uq_appropriation_fund_id_reference;"
            "INSERT INTO ila.appropriation (fund_id, amount_minor, effective_on, recorded_at, actor_id, reference)"
            " SELECT fund_id, amount_minor, effective_on, recorded_at, actor_id, reference FROM ila.appropriation"
        ),
    ),
    "a reason stored twice": (
        "natural_keys",
        "allocation has two rows of one key",
        (
            "ALTER TABLE ila.allocation DROP CONSTRAINT pk_allocation;"
            "INSERT INTO ila.allocation VALUES (1, 5, 0, 'CEILING'), (1, 5, 0, 'CEILING')"
        ),
    ),
    # reversals
    "an entry reversed twice": (
        "reversals",
        "an entry is reversed more than once",
        "DROP INDEX ila.uq_journal_entry_reverses;" + COPY_ENTRY.format(source="source_id + 1") + REVERSAL,
    ),
    "a reversal of something else": (
        "reversals",
        "a reversal names no entry of its citizen, or one that is a reversal itself",
        f"UPDATE ila.journal_entry SET reverses = 5 WHERE journal_entry_id = {REVERSAL}",
    ),
    "a reversal without its entry": (
        "reversals",
        "a reversal names no entry of its citizen, or one that is a reversal itself",
        f"UPDATE ila.journal_entry SET reverses = NULL WHERE journal_entry_id = {REVERSAL}",
    ),
    "a reversal of another amount": (
        "reversals",
        "a reversal is not equal and opposite",
        f"UPDATE ila.transfer SET amount_minor = amount_minor + 1 WHERE journal_entry_id = {REVERSAL}",
    ),
    # periods
    "an entry in a closed period": (
        "periods",
        "the totals of a closed period have changed",
        "INSERT INTO ila.ledger_period VALUES (2027, 'closed', now(), now(), sha256('other totals'))",
    ),
    "a period closed without totals": (
        "periods",
        "the totals of a closed period have changed",
        "INSERT INTO ila.ledger_period VALUES (2027, 'closed', now(), now(), NULL)",
    ),
    "an entry of no year": (
        "periods",
        "an entry's number or period is of no booking year",
        f"UPDATE ila.journal_entry SET period = 27 WHERE journal_entry_id = {SLICE}",
    ),
    # references
    "a citizen removed": (
        "references",
        "a line or an entitlement names a citizen that does not exist",
        "DELETE FROM ila.citizen WHERE citizen_id = 1",
    ),
    "a fund removed": ("references", "lines name a fund that does not exist", "DELETE FROM ila.fund WHERE fund_id = 1"),
    "a run removed": (
        "references",
        "lines name a run or a scheme that does not exist",
        "DELETE FROM ila.allocation_run WHERE kind = 'yearly'",
    ),
    "a scheme removed": (
        "references",
        "lines name a run or a scheme that does not exist",
        "DELETE FROM ila.scheme WHERE scheme_id = 2",
    ),
    "an entitlement of no fund": (
        "references",
        "entitlements name a run, a fund or a scheme that does not exist",
        "ALTER TABLE ila.entitlement DISABLE TRIGGER ALL; UPDATE ila.entitlement SET fund_id = 99",
    ),
    # digests
    "a run decided by nothing that is stored": (
        "digests",
        "a run was decided by a parameter set that is not stored",
        "UPDATE ila.allocation_run SET parameter_digest = sha256('another set') WHERE kind = 'request'",
    ),
    "a parameter set removed": (
        "digests",
        "entries carry the digest of a parameter set that is not stored",
        "DELETE FROM ila.parameter_set",
    ),
    "a parameter set changed": (
        "digests",
        "a stored parameter set is not what its digest says",
        """UPDATE ila.parameter_set SET canonical = '{"base": 1}'""",
    ),
    # facts
    "two facts about one day": (
        "facts",
        "two current rows of citizen_fact tell about the same day",
        "UPDATE ila.citizen_fact SET valid_until = '2026-01-01' WHERE valid_from = '2020-01-01'",
    ),
    "a fact that ends before it begins": (
        "facts",
        "a row of citizen_fact ends before it begins, or was known by no numbered change",
        (
            "ALTER TABLE ila.citizen_fact DROP CONSTRAINT ck_citizen_fact_valid_range;"
            "UPDATE ila.citizen_fact SET valid_until = '1999-01-01' WHERE valid_from = '2020-01-01'"
        ),
    ),
    "a fact that nobody recorded": (
        "facts",
        "a row of citizen_fact ends before it begins, or was known by no numbered change",
        "DELETE FROM ila.fact_change",
    ),
    "two attestations of one need": (
        "facts",
        "two current rows of need_attestation tell about the same day",
        (
            "INSERT INTO ila.need_attestation (citizen_id, criterion, recorded_no, valid_from, source) VALUES"
            " (1, 'disability', 1, '2020-01-01', 'register'), (1, 'disability', 1, '2021-01-01', 'register')"
        ),
    ),
    "an attestation that nobody recorded": (
        "facts",
        "a row of need_attestation ends before it begins, or was known by no numbered change",
        (
            "INSERT INTO ila.need_attestation (citizen_id, criterion, recorded_no, valid_from, source)"
            " VALUES (1, 'disability', 9, '2020-01-01', 'register')"
        ),
    ),
    "two records of one job": (
        "facts",
        "two current rows of work_record tell about the same day",
        (
            "INSERT INTO ila.work_record (citizen_id, job_no, recorded_no, valid_from, valid_until, basis, worked)"
            " VALUES (1, 1, 1, '2020-01-01', '2021-01-01', 'hours', 5),"
            " (1, 1, 1, '2020-06-01', '2021-01-01', 'hours', 5)"
        ),
    ),
    "a record of work that nobody recorded": (
        "facts",
        "a row of work_record ends before it begins, or was known by no numbered change",
        (
            "INSERT INTO ila.work_record (citizen_id, job_no, recorded_no, valid_from, valid_until, basis, worked)"
            " VALUES (1, 1, 9, '2020-01-01', '2021-01-01', 'hours', 5)"
        ),
    ),
    # grants
    "a privilege to update": (
        "grants",
        "a role may change or remove rows of the journal",
        "GRANT UPDATE ON ila.transfer TO ila_app",
    ),
    "a privilege to update one column": (
        "grants",
        "a role may change or remove rows of the journal",
        "GRANT UPDATE (amount_minor) ON ila.transfer TO ila_app",
    ),
    "a privilege on a partition": (
        "grants",
        "a role may change or remove rows of the journal",
        "GRANT DELETE ON ila.transfer_2027 TO ila_job",
    ),
    "a privilege to truncate": (
        "grants",
        "a role may change or remove rows of the journal",
        "GRANT TRUNCATE ON ila.journal_entry TO ila_job",
    ),
    "a privilege to change what was granted": (
        "grants",
        "a role may change more of an entitlement or a fund than what is available",
        "GRANT UPDATE (granted_minor) ON ila.entitlement TO ila_app",
    ),
    "a privilege of everybody": (
        "grants",
        "a role may change more of an entitlement or a fund than what is available",
        "GRANT DELETE ON ila.entitlement TO PUBLIC",
    ),
    "a role with every power": (
        "grants",
        "a role of the application has powers that pass by every grant",
        "ALTER ROLE ila_app SUPERUSER",
    ),
    "a role that is the owner's member": (
        "grants",
        "a role of the application has powers that pass by every grant",
        "GRANT ila_owner TO ila_job",
    ),
    "a trigger switched off": (
        "grants",
        "a trigger is missing or switched off",
        "ALTER TABLE ila.journal_entry DISABLE TRIGGER journal_entry_unchanged",
    ),
    "a trigger of a partition switched off": (
        "grants",
        "a trigger is missing or switched off",
        "ALTER TABLE ila.transfer_2027 DISABLE TRIGGER transfer_unchanged",
    ),
    "a trigger dropped": (
        "grants",
        "a trigger is missing or switched off",
        "DROP TRIGGER journal_entry_in_open_period ON ila.journal_entry",
    ),
    "a constraint dropped": (
        "grants",
        "a constraint is missing or was never validated",
        "ALTER TABLE ila.allocation_run DROP CONSTRAINT ck_allocation_run_four_eyes",
    ),
}
"""What is done to the tables, after the pass that must find it and the sentence it must say."""
