"""What an ONNX model may hold: plain operators over numbers and texts that stand in the file itself.

onnxruntime would open files that tensors name, and load libraries that operators come from; nothing of that is let in.
"""

from collections.abc import Iterator
from typing import Any

from cellops.packaging.formats.base import extra

DOMAINS = frozenset({"", "ai.onnx", "ai.onnx.ml"})
MOST_BYTES = 2**31 - 1
"""What one message of protobuf can be."""
IN_THE_FILE = 0
"""Where protobuf says that the numbers of a tensor are."""
OLDEST_IR, NEWEST_IR = 7, 13
MOST_ELEMENTS = 2**31
FORBIDDEN = frozenset({"Loop", "Optional", "OptionalGetElement", "SequenceMap", "RandomNormal", "RandomUniform"})
FORBIDDEN |= {"RandomNormalLike", "RandomUniformLike", "Multinomial", "Bernoulli"}
"""What may go on for ever, or answers otherwise each time."""


def parse(content: bytes) -> Any:
    """The model in a file.

    Raises
    ------
    ValueError
        When the file is no ONNX model.
    """
    onnx, protobuf = extra("onnx", "onnx"), extra("google.protobuf.message", "onnx")
    if len(content) > MOST_BYTES:
        text = "it is larger than 2 GB"
        raise ValueError(text)
    model = onnx.ModelProto()
    try:
        model.ParseFromString(content)
    except (protobuf.DecodeError, RecursionError) as error:
        text = "it is no message of protobuf"
        raise ValueError(text) from error
    if not model.graph.node or not model.opset_import:
        text = "it has no graph"
        raise ValueError(text)
    model.DiscardUnknownFields()
    return model


def problem(model: Any) -> str | None:
    """What in the model nobody should run, if there is something."""
    if not OLDEST_IR <= model.ir_version <= NEWEST_IR:
        return f"is of IR version {model.ir_version}, where {OLDEST_IR} to {NEWEST_IR} are known"
    foreign = {opset.domain for opset in model.opset_import} - DOMAINS
    if foreign or model.functions or model.training_info:
        return f"brings operators of its own: {', '.join(sorted(foreign)) or 'functions or training'}"
    for graph in graphs(model.graph):
        for node in graph.node:
            if node.domain not in DOMAINS or node.op_type in FORBIDDEN:
                return f"has the operator {node.domain[:40]} {node.op_type[:40]}"
        for tensor in _tensors(graph):
            found = _tensor_problem(tensor)
            if found:
                return found
    return None


def graphs(graph: Any) -> Iterator[Any]:
    """The graph and all inside of it."""
    waiting = [graph]
    while waiting:
        graph = waiting.pop()
        yield graph
        for node in graph.node:
            for attribute in node.attribute:
                waiting += [*([attribute.g] if attribute.HasField("g") else ()), *attribute.graphs]


def _tensors(graph: Any) -> Iterator[Any]:
    """All constants of one graph: its own, and those of its nodes."""
    yield from graph.initializer
    sparse = list(graph.sparse_initializer)
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.HasField("t"):
                yield attribute.t
            yield from attribute.tensors
            sparse += [*([attribute.sparse_tensor] if attribute.HasField("sparse_tensor") else ())]
            sparse += attribute.sparse_tensors
    for table in sparse:
        yield from (table.values, table.indices)


def _tensor_problem(tensor: Any) -> str | None:
    if tensor.data_location != IN_THE_FILE or tensor.external_data:
        return f"keeps the tensor {tensor.name[:40]} in another file"
    elements = 1
    for size in tensor.dims:
        elements *= size
        if size < 0 or elements > MOST_ELEMENTS:
            return f"has the tensor {tensor.name[:40]} of an impossible shape"
    return None
