"""Answer every refusal and fault: a problem document under `/api/`, a page elsewhere."""

from collections.abc import Callable
from typing import cast

import structlog
from flask import Flask, Response, current_app, g
from werkzeug.exceptions import HTTPException

from ila.web.guard import is_api_request
from ila.web.problems import Problem, problem_of

MEDIA_TYPE = "application/problem+json"
PAGE = "ila_problem_page"
"""Extension of the application that renders a problem for people, with its status: `Callable[[Problem], Response]`."""

logger = structlog.get_logger("ila.web")


def install(app: Flask) -> None:
    """Answer for every exception a request raises."""
    app.register_error_handler(Exception, _answer)


def _answer(error: Exception) -> Response:
    if isinstance(error, HTTPException) and error.code is not None and error.code < 400:
        return cast(Response, error.get_response())
    problem = problem_of(error)
    if problem.status == 503:
        logger.warning("request put off", code=problem.code, reason=type(error).__name__)
    elif problem.status >= 500:
        logger.error("request failed", code=problem.code, exc_info=error)
    render = current_app.extensions.get(PAGE)
    if is_api_request() or render is None:
        response = document(problem)
    else:
        response = cast(Callable[[Problem], Response], render)(problem)
    response.headers.update(problem.headers)
    return response


def document(problem: Problem) -> Response:
    """Return the problem document of RFC 9457."""
    response = cast(Response, current_app.json.response(problem.body(g.get("request_id", ""))))
    response.status_code = problem.status
    response.mimetype = MEDIA_TYPE
    return response
