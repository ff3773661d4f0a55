"""`world` is read by many tests and changed by none; `own_world` belongs to one test. Both stand still at NOW."""

from collections.abc import Iterator

import pytest

from tests.conftest import NOW, TEMPLATE, Database, _execute
from tests.web.world import World, built_world


@pytest.fixture(autouse=True)
def clock_stands_still(monkeypatch: pytest.MonkeyPatch) -> None:
    """The edges read NOW from the clock."""
    monkeypatch.setattr("ila.clock.now", lambda: NOW)


@pytest.fixture(scope="session")
def world(server) -> Iterator[World]:  # type: ignore[no-untyped-def]
    """A world with three years of credits."""
    _execute(server, f"CREATE DATABASE ila_web TEMPLATE {TEMPLATE} OWNER ila_owner")
    database = Database("ila_web", server)
    try:
        world = built_world(database)
        yield world
        world.app.extensions["ila_database"].close()
    finally:
        database.close()


@pytest.fixture
def own_world(database: Database) -> Iterator[World]:
    """A world with a scheme and its money, in which nothing has been credited yet."""
    world = built_world(database, credited=False)
    yield world
    world.app.extensions["ila_database"].close()
