"""How the inputs and outputs of an ONNX graph of ours are called, and how it takes missing texts."""

from cellops.records.contract import Field

MATRIX = "inputs"
"""All columns together, of shape (rows, columns); else each column is an input of its own name and of shape (rows,)."""
LABEL = "label"


def chance_name(place: int) -> str:
    """The output with the chances of one class, by its place in the contract.

    >>> chance_name(1)
    'probability_1'
    """
    return f"probability_{place}"


def missing_text(field: Field) -> str:
    """What stands for a missing text: ONNX has no such thing, and encoders were fitted on None or NaN."""
    return "None" if field.missing_is_none else "nan"
