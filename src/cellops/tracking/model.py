"""A fitted estimator, from the spool file that the kernel wrote into an MLflow model."""

import contextlib
import hashlib
import importlib
import math
import os
import stat
import sys
import threading
import warnings
from collections.abc import Collection, Iterator, Mapping
from functools import cache, partial
from importlib.metadata import PackageNotFoundError, distribution, packages_distributions
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from cellops.errors import IntegrityError
from cellops.records.contract import Contract, Field, Schema, Task
from cellops.records.profile import ColumnKind
from cellops.records.run import Environment, ModelSpool

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.models import ModelSignature

MLFLOW_TYPES = {
    ColumnKind.NUMBER: "double",
    ColumnKind.INTEGER: "long",
    ColumnKind.BOOLEAN: "boolean",
    ColumnKind.TEXT: "string",
    ColumnKind.DATETIME: "datetime",
}
FLAVORS: dict[str, tuple[str, str, dict[str, Any]]] = {
    # Of xgboost's formats its JSON is the one that a package keeps.
    "xgboost.core.Booster": ("mlflow.xgboost", "xgb_model", {"model_format": "json"}),
    "lightgbm.basic.Booster": ("mlflow.lightgbm", "lgb_model", {}),
    # torch's own format wants an example of the inputs, which a training loop does not show.
    "torch.nn.modules.module.Module": ("mlflow.pytorch", "pytorch_model", {"serialization_format": "pickle"}),
}
"""MLflow's flavors of models without scikit-learn's methods, by their class, with what their writers need."""
BOOSTED = frozenset(
    {
        "lightgbm.sklearn.LGBMClassifier",
        "lightgbm.sklearn.LGBMRegressor",
        "xgboost.sklearn.XGBClassifier",
        "xgboost.sklearn.XGBRFClassifier",
        "xgboost.sklearn.XGBRFRegressor",
        "xgboost.sklearn.XGBRegressor",
    }
)
"""Estimators of which the booster inside is all that answers: a format that runs no code holds it."""
WRITTEN_WITH = ("sklearn", "skops.io")
NOT_WRITTEN_WITH = ("cupy", "dask", "jax", "pytest", "torch")
"""Skops looks through all modules of scikit-learn, and some of these import each other library that is installed."""
ALWAYS_NEEDED = ("scikit-learn", "numpy", "scipy", "pandas", "joblib", "threadpoolctl", "skops", "cloudpickle")
BROUGHT_ALWAYS = sys.stdlib_module_names | {"__main__", "sklearn"}
"""Modules of which nobody needs to ask which distribution brings them."""


class UnloggableError(Exception):
    """An estimator that cannot be logged, by no fault of the store: asking again would not help."""


class MissingModuleError(UnloggableError):
    """An estimator whose class stands in a module that is not found here; once it is, it can be logged."""


@contextlib.contextmanager
def _by_its_own_fault() -> Iterator[None]:
    """What an estimator's own code raises; a disk that is full or read-only is not its fault."""
    try:
        yield
    except OSError:
        raise
    except ModuleNotFoundError as error:
        text = f"its class needs the module {error.name}, which is not found here"
        raise MissingModuleError(text) from error
    except Exception as error:
        text = f"{type(error).__name__}: {str(error)[:200]}"
        raise UnloggableError(text) from error


def read_spool(spool: ModelSpool, folder: Path) -> Any:
    """The estimator that the kernel left in the spool folder of its run, once the digest is what the journal says."""
    import cloudpickle

    content = read_own(Path(spool.path), folder)
    with _by_its_own_fault():
        if hashlib.sha256(content).hexdigest() != spool.digest:
            fact = f"{spool.path} is not the file that the kernel wrote"
            raise IntegrityError(fact, remedy="Run the cell again", path=spool.path)
        try:
            return cloudpickle.loads(content)
        except OSError as error:
            raise UnloggableError(str(error)) from error


def read_own(path: Path, folder: Path) -> bytes:
    """What a file holds that only this user can have written, directly in a folder and behind no link.

    Raises
    ------
    UnloggableError
        When it is gone, stands elsewhere, or belongs to someone else: unpickling it would run their code.
    """
    if path.is_symlink() or path.resolve().parent != folder:
        text = f"{path} is not in {folder}, where the kernel would have written it"
        raise UnloggableError(text)
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0))
    except FileNotFoundError as error:
        text = f"{path} is gone"
        raise UnloggableError(text) from error
    with open(descriptor, "rb") as file:  # noqa: PTH123 - of the descriptor that is checked
        held = os.fstat(descriptor)
        if os.name == "posix" and (held.st_uid != os.getuid() or held.st_mode & (stat.S_IRWXG | stat.S_IRWXO)):
            text = f"{path} is not private to this user, so it may not be what the kernel wrote"
            raise UnloggableError(text)
        return file.read()


@contextlib.contextmanager
def importable(paths: Collection[str]) -> Iterator[None]:
    """Find modules where the kernel found them; those that come from there are forgotten after."""
    before, modules = list(sys.path), set(sys.modules)
    added = [path for path in paths if path not in before]
    sys.path[:0] = added
    try:
        yield
    finally:
        sys.path[:] = before
        for name in set(sys.modules) - modules:
            file = getattr(sys.modules[name], "__file__", None)
            if file is not None and set(added) & set(map(str, Path(file).parents)):
                del sys.modules[name]


@cache
def prepare() -> None:
    """Import what models of scikit-learn are written with: that takes seconds."""
    with _unnoticed(NOT_WRITTEN_WITH):
        for name in WRITTEN_WITH:
            with contextlib.suppress(ImportError):
                importlib.import_module(name)


@contextlib.contextmanager
def _unnoticed(names: Collection[str]) -> Iterator[None]:
    """Let libraries that are not imported yet not be found meanwhile, where no other thread can want them."""
    finder: Any = _FindsNone({name for name in names if name not in sys.modules})
    if threading.active_count() > 1:
        yield
        return
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)


class _FindsNone:
    """Says of some modules that they are not installed."""

    def __init__(self, names: Collection[str]) -> None:
        self._names = names

    def find_spec(self, name: str, *_: object) -> None:
        if name in self._names:
            fact = f"No module named {name!r}"
            raise ModuleNotFoundError(fact, name=name)


def log_model(
    client: "MlflowClient",
    run_id: str,
    spool: ModelSpool,
    *,
    name: str,
    contract: Contract | None,
    environment: Environment | None,
    trusted: Collection[str],
    folder: Path,
) -> str:
    """Log an estimator to a run, as skops where it is made of trusted types only, else as a pickle; give its URI.

    Raises
    ------
    UnloggableError
        When the estimator itself is the reason; every other error is the store's or the disk's.
    """
    with importable(spool.import_paths):
        return _log(
            client,
            run_id,
            read_spool(spool, folder),
            name=name,
            contract=contract,
            environment=environment,
            trusted=trusted,
        )


def _log(
    client: "MlflowClient",
    run_id: str,
    estimator: Any,
    *,
    name: str,
    contract: Contract | None,
    environment: Environment | None,
    trusted: Collection[str],
) -> str:
    from mlflow.models import Model

    flavor, arguments, written = _flavor(estimator, trusted)
    run = client.get_run(run_id)
    # Made here, so that it stands in the run's experiment without the run being MLflow's active one, which can be the
    # person's own.
    logged = client.create_logged_model(run.info.experiment_id, name=name, source_run_id=run_id, params=run.data.params)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        info = Model.log(
            artifact_path=None,
            name=name,
            flavor=SimpleNamespace(__name__=flavor, save_model=partial(_save, flavor, estimator, written)),
            run_id=run_id,
            model_id=logged.model_id,
            signature=None if contract is None else signature(contract.schema),
            pip_requirements=requirements(environment, estimator),
            **arguments,
        )
    return str(info.model_uri)


def _flavor(estimator: Any, trusted: Collection[str]) -> tuple[str, dict[str, Any], bytes | None]:
    """The module of MLflow's flavor for a model, what its `save_model` is to be told, and the file if there is one."""
    boosted = _boosted(estimator)
    if boosted is not None:
        return *boosted, None
    for kind in type(estimator).__mro__:
        found = FLAVORS.get(f"{kind.__module__}.{kind.__qualname__}")
        if found is not None:
            module, argument, others = found
            return module, {argument: estimator, **others}, None
    written, untrusted = _in_skops(estimator) or (None, [])
    if written is None or not set(untrusted) <= set(trusted):
        return "mlflow.sklearn", {"sk_model": estimator, "serialization_format": "cloudpickle"}, None
    told = {"serialization_format": "skops", "skops_trusted_types": untrusted}
    return "mlflow.sklearn", {"sk_model": estimator, **told}, written


def _boosted(estimator: Any) -> tuple[str, dict[str, Any]] | None:
    """The flavor that holds a boosted model in its library's own format, where that holds the whole of it.

    An objective that is code, or another mark for what is missing, stands in no such file.
    """
    if f"{type(estimator).__module__}.{type(estimator).__qualname__}" not in BOOSTED:
        return None
    options = estimator.get_params()
    missing = options.get("missing", math.nan)
    if callable(options.get("objective")) or not (isinstance(missing, float) and math.isnan(missing)):
        return None
    if hasattr(estimator, "booster_"):  # lightgbm's estimators would be pickled
        return "mlflow.lightgbm", {"lgb_model": estimator.booster_}
    return "mlflow.xgboost", {"xgb_model": estimator, "model_format": "json"}


def _save(flavor: str, estimator: Any, written: bytes | None, **arguments: Any) -> None:
    """Write a model as MLflow's own flavor does; here the estimator's code runs."""
    with _by_its_own_fault(), _requirements_taken_as_they_are(), _written_once(estimator, written):
        importlib.import_module(flavor).save_model(**arguments)


@contextlib.contextmanager
def _written_once(estimator: Any, written: bytes | None) -> Iterator[None]:
    """Let skops not write an estimator again that was written to learn its types: that takes longest of all."""
    if written is None:
        yield
        return
    import skops.io

    before = skops.io.dump

    def dump(obj: Any, file: Any, **options: Any) -> None:
        if obj is estimator and isinstance(file, str | Path) and not options:
            Path(file).write_bytes(written)
        else:
            before(obj, file, **options)

    skops.io.dump = dump
    try:
        yield
    finally:
        skops.io.dump = before


@contextlib.contextmanager
def _requirements_taken_as_they_are() -> Iterator[None]:
    """Let MLflow not compare pins with what they were just read from: it opens all distributions for that."""
    import mlflow.utils.environment as held

    name = "warn_dependency_requirement_mismatches"
    before = getattr(held, name, None)
    if before is None:
        yield
        return
    setattr(held, name, lambda _requirements: None)
    try:
        yield
    finally:
        setattr(held, name, before)


def _in_skops(estimator: Any) -> tuple[bytes, list[str]] | None:
    """The file of an estimator and the types that skops does not trust by itself; None where it cannot hold it."""
    import skops.io

    try:
        written = bytes(skops.io.dumps(estimator))
        return written, [*skops.io.get_untrusted_types(data=written)]
    except Exception:  # noqa: BLE001 - skops refuses unknown objects in many ways
        return None


def signature(schema: Schema) -> "ModelSignature":
    """MLflow's signature of a contract's schema; integers that may be missing are doubles there."""
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, TensorSpec
    from mlflow.types import Schema as MlflowSchema

    inputs: list[ColSpec | TensorSpec] = [ColSpec(_mlflow_type(field), field.name) for field in schema.inputs]
    label = "string" if any(isinstance(c, str) for c in schema.classes) else "long"
    output = label if schema.task is Task.CLASSIFICATION else "double"
    return ModelSignature(MlflowSchema(inputs), MlflowSchema([ColSpec(output)]))


def _mlflow_type(field: Field) -> str:
    if field.kind is ColumnKind.INTEGER and field.nullable:
        return "double"
    return MLFLOW_TYPES[field.kind]


def requirements(environment: Environment | None, estimator: Any) -> list[str]:
    """The distributions that the model needs, pinned to what it was trained with."""
    if environment is None:
        return list(ALWAYS_NEEDED)
    roots = {kind.__module__.partition(".")[0] for part in _parts(estimator) for kind in type(part).__mro__}
    names = [name for root in sorted(roots - BROUGHT_ALWAYS) for name in bringing(root)]
    wanted = {*ALWAYS_NEEDED, *map(_normalized, names)}
    return [f"{n}=={v}" for n, v in environment.distributions.items() if n in wanted]


def bringing(module: str) -> list[str]:
    """The distributions that bring a module: the one of its name, if that does; else all are looked through."""
    try:
        own = distribution(_normalized(module)).files or ()
    except (PackageNotFoundError, ValueError):
        own = ()
    if any(file.parts[0].partition(".")[0] == module for file in own):
        return [module]
    return _brought().get(module, [module])


@cache
def _brought() -> "Mapping[str, list[str]]":
    return packages_distributions()


def _normalized(name: str) -> str:
    return name.lower().replace("_", "-")


def _parts(estimator: Any) -> list[Any]:
    if not hasattr(estimator, "get_params"):
        return [estimator]
    return [estimator, *estimator.get_params(deep=True).values()]
