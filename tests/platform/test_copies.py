"""Whole copies: what was dumped is what is restored, and nothing of worth is ever overwritten."""

import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from ila import settings
from ila.cli import copies
from ila.db import migrations
from ila.errors import Conflict, Invalid
from ila.settings import Settings
from tests.conftest import Database

PERSON = "INSERT INTO ila.user_account (name, created_at) VALUES ('d.lind', '2027-01-04T09:00:00Z')"


@pytest.fixture
def settings_of(tmp_path: Path) -> Callable[[Database], Settings]:
    """Return the settings under which a database is the operator's."""

    def load(database: Database) -> Settings:
        return settings.load(
            {
                "ILA_ENV": "test",
                "ILA_DATA_DIRECTORY": str(tmp_path / "data"),
                "ILA_DATABASE_URL": database.url("ila_app"),
                "ILA_DATABASE_OWNER_URL": database.url("ila_owner"),
            }
        )

    return load


def execute(database: Database, statement: str) -> None:
    with database.engine("ila_owner").begin() as connection:
        connection.exec_driver_sql(statement)


def people(database: Database, role: str = "ila_app") -> list[str]:
    with database.engine(role).connect() as connection:
        return list(connection.exec_driver_sql("SELECT name FROM ila.user_account").scalars())


def test_a_restored_copy_holds_what_was_dumped_with_its_privileges(
    database: Database, settings_of: Callable[[Database], Settings], tmp_path: Path
) -> None:
    file = tmp_path / "backup.dump"
    execute(database, PERSON)
    copies.dump(settings_of(database), file, replace=False)
    execute(database, "DELETE FROM ila.user_account")

    copies.restore(settings_of(database), file)

    assert people(database) == ["d.lind"]
    migrations.require_head(database.engine())
    migrations.differences(database.url("ila_owner"))
    with database.engine("ila_app").connect() as connection:
        may_delete = "SELECT has_table_privilege('ila_app', 'ila.transfer', 'DELETE')"
        assert connection.exec_driver_sql(may_delete).scalar_one() is False


def test_a_database_with_data_is_not_restored_into(
    database: Database, settings_of: Callable[[Database], Settings], tmp_path: Path
) -> None:
    file = tmp_path / "backup.dump"
    copies.dump(settings_of(database), file, replace=False)
    execute(database, PERSON)

    with pytest.raises(copies.NotEmpty, match="the table user_account has rows"):
        copies.restore(settings_of(database), file)

    assert people(database) == ["d.lind"]


def test_a_copy_is_readable_by_its_owner_alone_and_never_overwritten_by_accident(
    database: Database, settings_of: Callable[[Database], Settings], tmp_path: Path
) -> None:
    file = tmp_path / "backup.dump"

    size_bytes = copies.dump(settings_of(database), file, replace=False)

    assert size_bytes == file.stat().st_size > 0
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with pytest.raises(Conflict, match="exists; name another file"):
        copies.dump(settings_of(database), file, replace=False)
    copies.dump(settings_of(database), file, replace=True)
    assert [path.name for path in tmp_path.iterdir()] == ["backup.dump"]


def test_a_file_that_is_no_copy_is_refused_before_anything_is_touched(
    database: Database, settings_of: Callable[[Database], Settings], tmp_path: Path
) -> None:
    file = tmp_path / "letter.txt"
    file.write_text("dear sir")

    with pytest.raises(Invalid, match="is no copy made by `ila db dump`"):
        copies.restore(settings_of(database), file)

    migrations.require_head(database.engine())


def test_a_directory_that_is_not_there_is_named(
    database: Database, settings_of: Callable[[Database], Settings], tmp_path: Path
) -> None:
    with pytest.raises(Invalid, match="There is no directory"):
        copies.dump(settings_of(database), tmp_path / "absent" / "backup.dump", replace=False)
