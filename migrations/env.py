"""Run migrations as the owner of the schema, each in a transaction that gives up rather than block the platform."""

from alembic import context
from sqlalchemy import text

import ila.access.models
import ila.allocations.models
import ila.audit.models
import ila.citizens.models
import ila.db.idempotency
import ila.db.job_claims
import ila.ledger.models
import ila.schemes.models  # noqa: F401  every model registers its tables
from ila.db.base import SCHEMA, Base
from ila.db.session import database_engine

LOCK_TIMEOUT = "5s"


def include_name(name: str | None, kind: str, parents: dict[str, str | None]) -> bool:
    """Compare our schema alone, and the journal's parent table without its yearly partitions."""
    if kind == "schema":
        return name == SCHEMA
    return not (kind == "table" and name is not None and name.startswith("transfer_"))


def run() -> None:
    """Migrate the database of `sqlalchemy.url`, or of the connection handed over in `attributes`."""
    given = context.config.attributes.get("connection")
    if given is not None:
        migrate(given)
        return
    engine = database_engine(context.config.attributes["url"])
    with engine.connect() as connection:
        migrate(connection)
        connection.commit()
    engine.dispose()


def migrate(connection) -> None:  # type: ignore[no-untyped-def]
    """Run the revisions on one connection."""
    connection.execute(text(f"SET lock_timeout = '{LOCK_TIMEOUT}'"))
    connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}"))
    connection.commit()
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        include_schemas=True,
        include_name=include_name,
        version_table_schema=SCHEMA,
        compare_type=True,
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()


run()
