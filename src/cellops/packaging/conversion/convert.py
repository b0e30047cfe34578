"""From the MLflow model of a run to one in ONNX, once that is proven to answer the same."""

import warnings
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import msgspec

from cellops.data.decoder import decode_columns
from cellops.errors import CellopsError, PackageError
from cellops.packaging.conversion.onnx import to_onnx
from cellops.packaging.conversion.proof import compare
from cellops.packaging.conversion.quantise import quantised
from cellops.packaging.conversion.rows import proof_rows
from cellops.packaging.conversion.source import loaded
from cellops.packaging.formats import FORMATS, Trust
from cellops.packaging.formats.base import extra
from cellops.packaging.layout import MLMODEL
from cellops.packaging.predictor import Predictor, SklearnPredictor
from cellops.records.contract import Contract
from cellops.records.package import Conversion
from cellops.records.run import Environment

RUNTIME = ("onnx", "onnxruntime", "protobuf", "flatbuffers", "ml-dtypes", "packaging", "typing-extensions", "numpy")
"""What serves an ONNX model, with all that it needs itself."""


def convert(source: Path, contract: Contract, output: Path, trust: Trust, *, quantise: str | None = None) -> Conversion:
    """Write the model of an MLflow folder as ONNX into a new MLflow folder.

    Double precision is tried first, then single; the first whose answers are those of the model is kept.

    Parameters
    ----------
    quantise
        `int8` or `float16` for the weights of the proven graph. Its answers differ then, by as much as is returned.

    Raises
    ------
    PackageError
        When the model cannot be said in ONNX, or answers otherwise there in each precision: it names the reasons.
    TrustError
        When loading the model needs more trust than is given.
    """
    require_onnx()
    known, model = loaded(source, trust, "ONNX")
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
            made = Conversion(
                source=known.name,
                converter=f"skl2onnx {version('skl2onnx')}",
                precision=precision,
                rows=proof.rows,
                difference=proof.difference,
                tolerance=tolerance,
            )
            if quantise is not None:
                whole, content = len(content), quantised(content, quantise)
                loss = compare(contract.schema, original, opened(content, contract), rows, 0.0)
                made = made.replace(
                    precision=quantise,
                    difference=loss.difference,
                    tolerance=None,
                    other_labels=loss.labels,
                    size=(whole, len(content)),
                )
            write_folder(content, source, output)
            return made
        reasons.append(f"In {precision} it answers otherwise: {proof.said(tolerance)}")
    fact = f"The model has no equal in ONNX. {'. '.join(dict.fromkeys(reasons))}"
    raise PackageError(fact, remedy="Package it without --format onnx")


def opened(content: bytes, contract: Contract) -> Predictor:
    """What answers for an ONNX file, read as a server reads it."""
    return FORMATS["onnx"].predictor(FORMATS["onnx"].load(content, Trust()), contract.schema)


def require_onnx() -> None:
    """Refuse at once where what writes or runs ONNX is not installed."""
    for module in ("onnx", "onnxruntime", "skl2onnx"):
        extra(module, "onnx")


def requantised(contract: Contract, folder: Path) -> Contract:
    """The contract of a quantised model: its own answers to the parity rows are what a server shall repeat."""
    predictor = opened((folder / FORMATS["onnx"].file).read_bytes(), contract)
    answers = predictor.predict(decode_columns(contract.schema, contract.parity.inputs))
    chances = None if answers.probabilities is None else answers.probabilities.tolist()
    return contract.replace(parity=contract.parity.replace(labels=answers.labels.tolist(), probabilities=chances))


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
