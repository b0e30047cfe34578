"""From the MLflow model of a run to one in ONNX, once that is proven to answer the same."""

import warnings
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import msgspec

from cellops.errors import CellopsError, PackageError
from cellops.packaging.conversion.onnx import to_onnx
from cellops.packaging.conversion.proof import compare
from cellops.packaging.conversion.rows import proof_rows
from cellops.packaging.formats import FORMATS, Format, Trust
from cellops.packaging.formats.base import extra
from cellops.packaging.layout import MLMODEL
from cellops.packaging.predictor import Predictor, SklearnPredictor
from cellops.records.contract import Contract
from cellops.records.package import Conversion
from cellops.records.run import Environment

SCIKIT_LEARN = ("skops", "pickle")
RUNTIME = ("onnx", "onnxruntime", "protobuf", "flatbuffers", "ml-dtypes", "packaging", "typing-extensions", "numpy")
"""What serves an ONNX model, with all that it needs itself."""


def convert(source: Path, contract: Contract, output: Path, trust: Trust) -> Conversion:
    """Write the model of an MLflow folder as ONNX into a new MLflow folder.

    Double precision is tried first, then single; the first whose answers are those of the model is kept.

    Raises
    ------
    PackageError
        When the model cannot be said in ONNX, or answers otherwise there in each precision: it names the reasons.
    TrustError
        When loading the model needs more trust than is given.
    """
    extra("skl2onnx", "onnx")
    known = source_format(source)
    if known.name not in SCIKIT_LEARN:
        fact = f"A model in the format {known.name} is not converted to ONNX"
        raise PackageError(fact, remedy=f"Package it in {known.name}, which is served as safely")
    model = known.load((source / known.file).read_bytes(), trust)
    original, rows = SklearnPredictor(model, contract.schema), proof_rows(contract, model)
    tolerance, reasons = contract.parity.tolerance, []
    for precision in ("float64", "float32"):
        try:
            content = to_onnx(model, contract.schema, double=precision == "float64")
            proof = compare(contract.schema, original, opened(content, contract), rows, tolerance)
        except CellopsError as error:
            reasons.append(error.fact)
            continue
        if proof.holds(tolerance):
            write_folder(content, source, output)
            converter = f"skl2onnx {version('skl2onnx')}"
            return Conversion(
                source=known.name,
                converter=converter,
                precision=precision,
                rows=proof.rows,
                difference=proof.difference,
                tolerance=tolerance,
            )
        reasons.append(
            f"In {precision} it answers otherwise: {proof.labels} of {proof.rows} labels, "
            f"by up to {proof.difference:.2g} where {tolerance:.2g} is taken"
        )
    fact = f"The model has no equal in ONNX. {'. '.join(dict.fromkeys(reasons))}"
    raise PackageError(fact, remedy="Package it without --format onnx")


def source_format(folder: Path) -> Format:
    """The format in which a run has kept its model."""
    found = [known for known in FORMATS.values() if (folder / known.file).is_file()]
    if len(found) != 1:
        fact = "The run keeps no model in a format that a package knows"
        raise PackageError(fact, remedy="Package a run that has logged its model")
    return found[0]


def opened(content: bytes, contract: Contract) -> Predictor:
    """What answers for an ONNX file, read as a server reads it."""
    return FORMATS["onnx"].predictor(FORMATS["onnx"].load(content, Trust()), contract.schema)


def write_folder(content: bytes, source: Path, output: Path) -> None:
    """An MLflow folder around an ONNX file, with the signature of another one."""
    import mlflow.onnx
    from mlflow.models import Model

    held = Model.from_dict(msgspec.yaml.decode((source / MLMODEL).read_bytes()))
    options: dict[str, Any] = {"signature": held.signature, "pip_requirements": requirements()}
    held_model = extra("onnx", "onnx").load_from_string(content)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        mlflow.onnx.save_model(held_model, str(output), save_as_external_data=False, **options)
    (output / FORMATS["onnx"].file).write_bytes(content)


def requirements() -> list[str]:
    """What loads the model, pinned to what it was proven with."""
    return [f"{name}=={version(name)}" for name in ("onnx", "onnxruntime")]


def with_runtime(environment: Environment) -> Environment:
    """The run's environment with what serves ONNX, where the run did not have it."""
    added = {}
    for name in RUNTIME:
        try:
            added[name] = version(name)
        except PackageNotFoundError:  # of those that other versions of the runtime need
            continue
    return environment.replace(distributions=dict(sorted({**added, **environment.distributions}.items())))
