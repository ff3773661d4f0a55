"""At which address each role of the platform finds the database: the operator's server or the embedded one."""

from dataclasses import dataclass

from ila.db import embedded
from ila.settings import Settings


@dataclass(frozen=True, slots=True)
class DatabaseUrls:
    """One database, four ways in. Where an operator gave one address only, all are the same."""

    app: str
    """The web application: short statements, owns nothing."""
    job: str
    """Scheduler, worker and command line: long statements, owns nothing."""
    owner: str
    """Migrations."""
    direct: str
    """As `job`, past any pooler."""


def database_urls(settings: Settings) -> DatabaseUrls:
    """Return the addresses; raises `NotRunning` where the embedded server is meant and does not run."""
    if settings.is_embedded:
        return urls_of_embedded(embedded.require_running(settings.data_directory / "postgresql"))
    job = settings.database_job_url or settings.database_url
    return DatabaseUrls(
        app=settings.database_url,
        job=job,
        owner=settings.database_owner_url or settings.database_url,
        direct=settings.database_direct_url or job,
    )


def urls_of_embedded(server: embedded.Addresses) -> DatabaseUrls:
    """Return the addresses of a running embedded server."""
    return DatabaseUrls(
        app=server.app_url, job=server.url("ila_job"), owner=server.owner_url, direct=server.url("ila_job")
    )
