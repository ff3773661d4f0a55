"""The heart: schemes, citizens, the ledger, allocation runs, access."""

from pathlib import Path

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_SQL = Path(__file__).parent.parent / "sql"
_FILES = ("begin", "schemes", "citizens", "ledger", "allocations", "access", "platform", "guards", "grants")
_FIRST_YEARS = range(2026, 2029)


def upgrade() -> None:
    for name in _FILES:
        op.execute((_SQL / f"0001_{name}.sql").read_text(encoding="utf-8"))
    for year in _FIRST_YEARS:
        op.execute(f"SELECT ila.open_booking_year({year})")


def downgrade() -> None:
    """Forward only: a ledger is not undone. Restore a backup instead."""
    raise RuntimeError("migrations go forward only: restore a backup instead")
