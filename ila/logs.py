"""Structured logs on standard error: one JSON object or one line for people, with the request and who asked.

No personal data: callers name things by reference, and values under names that are known to be personal are cut out.
"""

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog
from structlog.tracebacks import ExceptionDictTransformer
from structlog.typing import Processor

PERSONAL = frozenset(
    {"name", "identifier", "born_on", "birth_date", "email", "phone", "address", "iban", "income", "token", "password"}
)
"""Names under which a value never reaches a log."""

_VALUES = re.compile(r"^(DETAIL:|CONTEXT:|\[parameters:).*$", re.MULTILINE)
_CUT = r"\1 (not logged)"

bind = structlog.contextvars.bind_contextvars
"""Add facts, such as `request_id` and `actor_id`, to every line of the present request or unit of work."""

clear = structlog.contextvars.clear_contextvars
"""Forget the facts bound before; called when a request begins."""


def configure(level: str, form: str, *, service: str) -> None:
    """Send all logs, also those of the libraries, to standard error; `form` is `json` or `console`."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        without_personal_data,
    ]
    last: list[Processor]
    if form == "json":
        shared.append(_Named(service))
        # Local variables may hold personal data: tracebacks show the program, never its values.
        tracebacks = structlog.processors.ExceptionRenderer(ExceptionDictTransformer(show_locals=False))
        last = [tracebacks, without_values_of_rows, structlog.processors.JSONRenderer(sort_keys=True)]
    else:
        plain = structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
        last = [structlog.processors.format_exc_info, without_values_of_rows, plain]
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[*shared, structlog.stdlib.ExtraAdder()],
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    logging.getLogger("alembic").setLevel(max(root.level, logging.WARNING))
    logging.getLogger("apscheduler").setLevel(max(root.level, logging.WARNING))
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )


def without_personal_data(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Replace values whose name says that they are personal: the second belt behind callers that pass none."""
    for name in PERSONAL.intersection(event):
        event[name] = "(not logged)"
    return event


def without_values_of_rows(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Cut out of database errors the values they quote: the row that failed, the parameters of the statement."""
    found = event.get("exception")
    if isinstance(found, str):
        event["exception"] = _VALUES.sub(_CUT, found)
    elif isinstance(found, list):
        for part in found:
            part["exc_value"] = _VALUES.sub(_CUT, part["exc_value"])
    return event


class _Named:
    """Add the service's name to each line."""

    def __init__(self, service: str) -> None:
        self.service = service

    def __call__(self, _: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        event["service"] = self.service
        return event
