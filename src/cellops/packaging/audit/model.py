"""What takes part in loading the model, by its format."""

from collections.abc import Iterable, Iterator

from cellops.packaging.formats import FORMATS, Format, Trust, onnx_graph
from cellops.packaging.formats.onnx import Onnx
from cellops.packaging.formats.pickle import Pickle, refusal
from cellops.packaging.formats.skops import Skops, types_in
from cellops.records.audit import Piece, Trusted
from cellops.settings import BUILT_IN_TRUSTED_TYPES

LIBRARIES = {
    "lightgbm": "its text is checked here, and read by the library's compiled code",
    "onnx": "its graph is checked here, and run by onnxruntime's compiled code",
    "xgboost": "its JSON is checked here, and read by the library's compiled code",
}
"""Formats that name no types: numbers and operators that a library knows."""


def model_pieces(model_format: Format, content: bytes, trust: Trust) -> Iterator[Piece]:
    """What a model's file names, and who trusts it.

    Raises
    ------
    PackageError
        When the file is not of its format.
    """
    untrusted = model_format.untrusted(content)
    if isinstance(model_format, Skops):
        for name in sorted({*types_in(content), *untrusted}):
            by = _trusted(name, trust) if name in untrusted else Trusted.FORMAT
            yield Piece(kind="type", name=name, path=model_format.file, trusted=by)
    elif isinstance(model_format, Pickle):
        by = Trusted.SETTINGS if trust.pickle else Trusted.NOBODY
        for name in untrusted or ["nothing by name"]:
            yield Piece(kind="global", name=name, path=model_format.file, trusted=by)
    else:
        name, note = model_format.name, LIBRARIES.get(model_format.name, "")
        yield Piece(kind="library", name=name, path=model_format.file, trusted=Trusted.FORMAT, note=note)
        for name in untrusted:
            yield Piece(kind="type", name=name, path=model_format.file, trusted=Trusted.NOBODY)
        for operator in _operators(content) if isinstance(model_format, Onnx) else ():
            yield Piece(kind="operator", name=operator, path=model_format.file, trusted=Trusted.FORMAT)


def _operators(content: bytes) -> list[str]:
    nodes = [node for graph in onnx_graph.graphs(onnx_graph.parse(content).graph) for node in graph.node]
    return sorted({f"{node.domain or 'ai.onnx'}.{node.op_type}" for node in nodes})


def require_trusted(model_format: Format, content: bytes, pieces: Iterable[Piece], trust: Trust) -> None:
    """Refuse what loading would refuse for the types that the file names.

    Raises
    ------
    TrustError
        In the words of loading.
    """
    if isinstance(model_format, Pickle) and not trust.pickle:
        raise refusal(content)
    trust.require([piece.name for piece in pieces if piece.trusted is Trusted.NOBODY])


def _trusted(name: str, trust: Trust) -> Trusted:
    if name in BUILT_IN_TRUSTED_TYPES:
        return Trusted.BUILT_IN
    return Trusted.SETTINGS if name in trust.types else Trusted.NOBODY


def is_model(path: str) -> bool:
    """Whether a file of a package is a model in one of the formats."""
    return path in {known.file for known in FORMATS.values()}
