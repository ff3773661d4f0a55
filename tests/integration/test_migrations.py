"""Revisions: one head, known by its number, and models that say the same as the migrations."""

from pathlib import Path

import pytest
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from ila.db import migrations
from ila.db.base import SCHEMA
from tests.conftest import Database

DIRECTORY = Path(__file__).parents[2] / "migrations"


def test_the_highest_number_is_the_only_head() -> None:
    assert ScriptDirectory(str(DIRECTORY)).get_heads() == [migrations.head()]


def test_the_revision_read_is_the_one_the_migrations_wrote(main_database: Database) -> None:
    with main_database.engine("ila_owner").connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table_schema": SCHEMA})

        assert migrations.current(connection) == context.get_current_revision() == migrations.head()


def test_models_and_migrations_agree(main_database: Database) -> None:
    migrations.differences(main_database.url("ila_owner"))


def test_a_second_upgrade_changes_nothing(main_database: Database) -> None:
    assert migrations.upgrade(main_database.url("ila_owner")) == (migrations.head(), migrations.head())


def test_another_revision_is_told_with_the_way_out(database: Database) -> None:
    with database.engine("ila_owner").begin() as connection:
        connection.exec_driver_sql("UPDATE ila.alembic_version SET version_num = '0000'")

    with pytest.raises(migrations.SchemaDiffers, match="at revision 0000.*run `ila db upgrade`"):
        migrations.require_head(database.engine())


def test_an_empty_database_has_no_revision(database: Database) -> None:
    with database.engine("ila_owner").begin() as connection:
        connection.exec_driver_sql("DROP TABLE ila.alembic_version")

        assert migrations.current(connection) is None
