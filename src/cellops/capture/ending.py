"""How a cell ended, as its result tells: the exception, its message without secrets, and the line it arose in."""

from typing import Any

from cellops.capture.redaction import redact, without_values
from cellops.capture.watcher import Ending
from cellops.records.cell import ErrorSeen, Outcome

LONGEST_MESSAGE = 500
READ_OF_A_MESSAGE = 100_000
"""Far beyond what is kept, so that no secret is cut before it is known as one."""


def ending_of(result: Any, secrets: set[str]) -> Ending:
    """Read IPython's result; None is what an interrupted cell leaves. `secrets` are texts that a message may repeat."""
    if result is None:
        return Ending(Outcome.INTERRUPTED)
    error = result.error_before_exec or result.error_in_exec
    if error is None:
        return Ending(Outcome.OK)
    message = redact(without_values(secrets, _message(error)))[:LONGEST_MESSAGE]
    seen = ErrorSeen(type=type(error).__name__, message=message, line=_line(error))
    interrupted = type(error).__name__ in {"KeyboardInterrupt", "CancelledError"}
    return Ending(Outcome.INTERRUPTED if interrupted else Outcome.ERROR, seen)


def _message(error: BaseException) -> str:
    try:
        return str(error)[:READ_OF_A_MESSAGE]
    except Exception:  # noqa: BLE001 - an exception's own __str__ can fail
        return ""


def _line(error: BaseException) -> int | None:
    """The line of the cell in which an exception arose: the first frame below IPython's own."""
    if isinstance(error, SyntaxError):
        return error.lineno
    trace = error.__traceback__
    while trace is not None:
        filename = trace.tb_frame.f_code.co_filename
        if (
            trace.tb_frame.f_code.co_name.startswith("<module>")
            or "ipykernel_" in filename
            or "<ipython-input" in filename
        ):
            return trace.tb_lineno
        trace = trace.tb_next
    return None
