"""A fitted estimator of scikit-learn as an ONNX graph: one input for each column, the label and the chances out.

Inputs have the shape (rows,), and each class has an output of its own, so that MLflow's own scoring, which knows no
other shapes, takes the graph too. Where no step chooses columns by name, all columns are one matrix `inputs`.
"""

import copy
import warnings
from collections.abc import Iterable
from typing import Any

import numpy as np

from cellops.errors import PackageError
from cellops.packaging.conversion import boosted, encoders, imputers, trees
from cellops.packaging.conversion.trees import DOMAIN
from cellops.packaging.conversion.writer import BOOL, DOUBLE, FLOAT, INT64
from cellops.packaging.formats.base import extra
from cellops.packaging.formats.onnx_graph import graphs
from cellops.packaging.formats.onnx_layout import LABEL, MATRIX, chance_name, missing_text
from cellops.packaging.formats.parts import parts
from cellops.records.contract import Field, Schema, Task
from cellops.records.profile import ColumnKind

OPSET, ML_OPSET, TREES_OPSET, IR = 21, 3, 5, 10
"""Versions that every onnxruntime since 1.20 reads."""
INNER = "value:{}"
OURS = (trees, boosted, encoders, imputers)
"""What is not left to skl2onnx's own converters."""


def to_onnx(model: Any, schema: Schema, *, double: bool = True) -> bytes:
    """Write a fitted estimator as ONNX.

    Parameters
    ----------
    double
        Whether numbers stay of double precision, as scikit-learn has them; not every converter can say that.

    Raises
    ------
    PackageError
        When the model, or a column, cannot be said in ONNX.
    """
    _require_columns(schema)
    skl2onnx, types = extra("skl2onnx", "onnx"), extra("skl2onnx.common.data_types", "onnx")
    number = types.DoubleTensorType if double else types.FloatTensorType
    matrix = is_matrix(model, schema)
    if matrix:
        inputs = [(MATRIX, number([None, len(schema.inputs)]))]
    else:
        text = types.StringTensorType
        inputs = [(f.name, (text if f.kind is ColumnKind.TEXT else number)([None, 1])) for f in schema.inputs]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        held = _sayable(model)
        boosted.introduce(skl2onnx)
        try:
            made = skl2onnx.convert_sklearn(
                held,
                name="model",
                initial_types=inputs,
                options={"zipmap": False} if hasattr(held, "classes_") else None,  # a table, not a dictionary a row
                target_opset={"": OPSET, "ai.onnx.ml": ML_OPSET, DOMAIN: 1},
                custom_conversion_functions=_joined(part.converters() for part in OURS),
                custom_shape_calculators=_joined(part.shapes() for part in OURS),
            )
        except Exception as error:  # each converter raises its own
            fact = f"{type(model).__name__} cannot be said in ONNX: {type(error).__name__}: {_first_line(error)}"
            raise PackageError(fact, remedy="Package it as skops") from error
    _finish(made, schema, matrix=matrix)
    return bytes(made.SerializeToString(deterministic=True))


def _joined(parts: Iterable[dict[type, Any]]) -> dict[type, Any]:
    return {kind: written for part in parts for kind, written in part.items()}


def is_matrix(model: Any, schema: Schema) -> bool:
    """Whether the model takes its columns together."""
    from sklearn.compose import ColumnTransformer

    by_name = any(isinstance(part, ColumnTransformer) for part in (model, *model.get_params(deep=True).values()))
    return not by_name and all(field.kind in {ColumnKind.NUMBER, ColumnKind.INTEGER} for field in schema.inputs)


def _require_columns(schema: Schema) -> None:
    for field in schema.inputs:
        if field.kind is ColumnKind.DATETIME or field.dtype == "category":
            fact = f"Column {field.name} is of {field.dtype}, which is not said in ONNX"
            raise PackageError(fact, remedy="Package it as skops", column=field.name)
        if field.kind is ColumnKind.TEXT and field.nullable and missing_text(field) in (field.categories or ()):
            fact = f"Column {field.name} holds missing values and the text {missing_text(field)!r}, the same in ONNX"
            raise PackageError(fact, remedy="Package it as skops", column=field.name)


def _sayable(model: Any) -> Any:
    """A copy that skl2onnx can say: its imputers of texts look for what stands for a missing text in ONNX."""
    from sklearn.ensemble import VotingClassifier
    from sklearn.impute import SimpleImputer

    copied = copy.deepcopy(model)
    for part in parts(copied):
        if isinstance(part, VotingClassifier):
            part.flatten_transform = False  # of its `transform`, which nobody asks
        if isinstance(part, SimpleImputer) and getattr(part, "statistics_", np.empty(0)).dtype == object:
            part.missing_values = "None" if part.missing_values is None else "nan"
    return copied


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [""])[0][:200]


def _finish(made: Any, schema: Schema, *, matrix: bool) -> None:
    """Give the graph the shapes of requests, and take out what says where and by what it was made."""
    if any(node.domain == DOMAIN for node in made.graph.node):
        for node in made.graph.node:
            node.domain = "ai.onnx.ml" if node.domain == DOMAIN else node.domain
        ml = TREES_OPSET
    else:
        ml = ML_OPSET
    del made.opset_import[:]
    for domain, version in (("", OPSET), ("ai.onnx.ml", ml)):
        made.opset_import.add(domain=domain, version=version)
    made.ir_version = IR
    made.graph.name = "model"
    for name in ("producer_name", "producer_version", "domain", "model_version", "doc_string"):
        made.ClearField(name)
    names = [given.name for given in made.graph.input]
    _rename(made.graph, {})
    _name_inputs(made.graph, names, {} if matrix else {field.name: field for field in schema.inputs})
    _name_outputs(made.graph, schema)
    used = {name for graph in graphs(made.graph) for node in graph.node for name in node.input}
    kept = [constant for constant in made.graph.initializer if constant.name in used]
    del made.graph.initializer[:]
    made.graph.initializer.extend(kept)


def _rename(graph: Any, names: dict[str, str]) -> None:
    """Number all values in the order of their coming: skl2onnx names some by chance, and ours must not meet theirs."""

    def name(given: str) -> str:
        return names.setdefault(given, INNER.format(len(names))) if given else given

    for held in (*graph.input, *graph.initializer, *graph.output, *graph.value_info):
        held.name = name(held.name)
    for sparse in graph.sparse_initializer:
        sparse.values.name = name(sparse.values.name)
    for node in graph.node:
        node.input[:] = map(name, node.input)
        node.output[:] = map(name, node.output)
        node.name = f"{node.op_type}:{node.output[0]}"
        for attribute in node.attribute:
            if attribute.HasField("g"):
                attribute.g.name = node.name
                _rename(attribute.g, names)


def _name_inputs(graph: Any, names: list[str], fields: dict[str, Field]) -> None:
    """Call inputs as the columns are called, with the shape and type that MLflow's signature gives them."""
    helper, numpy_helper = extra("onnx.helper", "onnx"), extra("onnx.numpy_helper", "onnx")

    axis = numpy_helper.from_array(np.array([1]), INNER.format("axis"))
    first = []
    for given, name in zip(graph.input, names, strict=True):
        if name not in fields:
            first.append(helper.make_node("Identity", [name], [given.name], name=f"Identity:{given.name}"))
        else:
            kind = given.type.tensor_type.elem_type
            taken, column = _taken(fields[name], kind), f"{given.name}:column"
            first.append(helper.make_node("Unsqueeze", [name, axis.name], [column], name=f"Unsqueeze:{given.name}"))
            cast = {} if taken == kind else {"to": kind}
            first.append(helper.make_node("Cast" if cast else "Identity", [column], [given.name], **cast))
            given.type.tensor_type.elem_type = taken
            del given.type.tensor_type.shape.dim[1:]
        given.name = name
    if fields:
        graph.initializer.append(axis)
    rest = list(graph.node)
    del graph.node[:]
    graph.node.extend([*first, *rest])


def _taken(field: Field, kind: int) -> int:
    """The type in which a request's column comes."""
    if field.kind is ColumnKind.BOOLEAN and not field.nullable:
        return BOOL
    return INT64 if field.kind is ColumnKind.INTEGER and not field.nullable else kind


def _name_outputs(graph: Any, schema: Schema) -> None:
    """`label`, and `probability_0`, `probability_1` … in the order of the contract's classes, each (rows,)."""
    helper, numpy_helper = extra("onnx.helper", "onnx"), extra("onnx.numpy_helper", "onnx")

    label, *chances = list(graph.output)
    del graph.output[:]
    kind = label.type.tensor_type.elem_type
    kind = (kind if kind in {FLOAT, DOUBLE} else DOUBLE) if schema.task is Task.REGRESSION else kind

    def add(name: str, node: str, source: str, number: int, element: int, **options: int) -> None:
        held = numpy_helper.from_array(np.array([number] if node == "Reshape" else number), INNER.format(f"for {name}"))
        graph.initializer.append(held)
        graph.node.append(helper.make_node(node, [source, held.name], [name], name=f"{node}:{name}", **options))
        graph.output.append(helper.make_tensor_value_info(name, element, [None]))

    add(LABEL, "Reshape", label.name, -1, kind)
    if schema.probabilities:
        table = INNER.format("chances")  # some converters give another precision than they say
        element = chances[0].type.tensor_type.elem_type
        graph.node.append(helper.make_node("Cast", [chances[0].name], [table], name=f"Cast:{table}", to=element))
        for place in range(len(schema.classes)):
            add(chance_name(place), "Gather", table, place, element, axis=1)
