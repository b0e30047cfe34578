"""What a call may change, by what is known of the function and of the types of its arguments."""

from cellops.capture.names import libraries
from cellops.capture.names.calls.called import Called, Evaluator
from cellops.capture.names.calls.library_functions import of_library
from cellops.capture.names.calls.methods import of_constant, of_data, of_estimator
from cellops.capture.names.calls.unknown import of_unknown
from cellops.capture.names.kinds import Kind
from cellops.capture.names.sharing import Value


def call(to: Evaluator, called: Called) -> Value:
    """Note what a call may change, and give its result."""
    if called.method in libraries.ENTERS:
        to.notes.interpreter()
    if called.function.kind is Kind.LIBRARY and called.function.origin:
        return of_library(to, called)
    if called.base is None or called.base.kind is Kind.LIBRARY:
        return of_unknown(to, called, called.function)
    match called.base.kind:
        case Kind.CONSTANT:
            return of_constant(to, called)
        case Kind.TABLE | Kind.DATA | Kind.BOX:
            return of_data(to, called, called.base)
        case Kind.ESTIMATOR:
            return of_estimator(to, called, called.base)
        case _:
            return of_unknown(to, called, called.base)
