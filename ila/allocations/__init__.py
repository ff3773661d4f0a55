"""Crediting: the yearly run and its kin, from a draft to the last slice; explaining and forecasting amounts.

Door: commands and queries of runs, `explain`, `explain_planned`, `explanations_of`, `forecast`.
"""

from ila.allocations.commands import (
    SliceDone,
    approve,
    cancel,
    close_run,
    fail,
    open_expiry,
    open_reversal,
    open_run,
    pause,
    pin_facts,
    preview,
    request_credit,
    resume,
    start,
    work_on_slice,
)
from ila.allocations.explanation import Explanation, NotConsidered, Step, explain, explain_planned, explanations_of
from ila.allocations.forecast import Assumptions, Forecast, ForecastEvent, forecast
from ila.allocations.queries import (
    NoSuchRun,
    Progress,
    Run,
    RunTitle,
    run_titles,
    run_view,
    run_views,
    running_runs,
    runs_of_period,
)
from ila.allocations.rules import RunKind, RunState

__all__ = [
    "Assumptions",
    "Explanation",
    "Forecast",
    "ForecastEvent",
    "NoSuchRun",
    "NotConsidered",
    "Progress",
    "Run",
    "RunKind",
    "RunState",
    "RunTitle",
    "SliceDone",
    "Step",
    "approve",
    "cancel",
    "close_run",
    "explain",
    "explain_planned",
    "explanations_of",
    "fail",
    "forecast",
    "open_expiry",
    "open_reversal",
    "open_run",
    "pause",
    "pin_facts",
    "preview",
    "request_credit",
    "resume",
    "run_titles",
    "run_view",
    "run_views",
    "running_runs",
    "runs_of_period",
    "start",
    "work_on_slice",
]
