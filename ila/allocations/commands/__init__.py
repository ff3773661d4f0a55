"""What can be done to a run, one file per thought: planning, working on slices, expiry, reversal."""

from ila.allocations.commands.expiry import open_expiry
from ila.allocations.commands.moves import cancel, fail, pause, resume
from ila.allocations.commands.planning import approve, open_run, pin_facts, preview, start
from ila.allocations.commands.requesting import request_credit
from ila.allocations.commands.reversal import open_reversal
from ila.allocations.commands.slices import SliceDone, close_run, work_on_slice

__all__ = [
    "SliceDone",
    "approve",
    "cancel",
    "close_run",
    "fail",
    "open_expiry",
    "open_reversal",
    "open_run",
    "pause",
    "pin_facts",
    "preview",
    "request_credit",
    "resume",
    "start",
    "work_on_slice",
]
