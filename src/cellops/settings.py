"""Typed settings: from the environment (`CELLOPS_…`), else from `[tool.cellops]` in the project's pyproject.toml."""

import os
import re
from pathlib import Path
from typing import Annotated, Any, Literal, Self, get_args, get_origin

import msgspec

from cellops.errors import SettingsError, UsageError
from cellops.setting_sources import Given, from_environment, from_pyproject

LOCAL = "local"
"""How a record names the project's own tracking store, wherever the project is moved to."""
USER_OF_AN_ADDRESS = re.compile(r"(?<=://)(?:[^/\s:'\"]*:(?!\d+/)[^\s'\"]*@|[^/\s'\"]*@)")
WHOLE_ADDRESS = re.compile(r"(?:https?://[^/?#]*|(?!https?:)[\w.+-]+://[^/?:]*:[^?]*|[\w.+-]+://[^/?]*)@")
"""The beginning of a text that is an address and nothing else: a password may hold quotes, blanks and slashes."""
SECRET_OF_A_QUERY = re.compile(
    r"(?i)([?&][\w-]*(?:password|passwd|pwd|secret|token|key|signature|(?<![a-z])sig(?![a-z]))[\w-]*=)[^&\s\"]+"
)
SECRETS = (
    "archive",
    "log_store",
    "log_pii_key",
    "server_token",
    "step_store",
    "step_store_key",
    "tracking_uri",
    "server_rate_store",
)
"""Settings whose value no message may repeat: an address can hold a password."""
NOT_FOR_KERNELS = ("CELLOPS_LOG_PII_KEY", "CELLOPS_LOG_STORE", "CELLOPS_STEP_STORE", "CELLOPS_STEP_STORE_KEY")
"""Variables that executed notebooks have no use for, and that may hold secrets."""
NOT_IN_A_URI = str.maketrans({"%": "%25", "?": "%3F", "#": "%23"})
"""What would end the path of a database's address; SQLAlchemy reads the rest as it stands."""
LONGEST_WAIT = 86_400
"""Seconds that a setting may ask for: more than the system's clocks take would stop a thread, or all connections."""
Batching = Literal["auto", "always", "off"]
Count = Annotated[int, msgspec.Meta(ge=1)]
LOCAL_STORE = "mlflow.db"
"""The file of a project's own tracking store, in the folder of cellops."""
PROJECT_MARKS = (".cellops", "pyproject.toml", ".git")
BUILT_IN_TRUSTED_TYPES = (
    "functools.partial",
    "numpy.dtype",
    "numpy.number",
    "scipy.sparse._csr.csr_array",
    "scipy.sparse._csr.csr_matrix",
    "sklearn._loss.loss.HalfTweedieLossIdentity",
    "sklearn.calibration._CalibratedClassifier",
    "sklearn.calibration._SigmoidCalibration",
    "sklearn.compose._column_transformer.make_column_selector",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.feature_selection._univariate_selection.f_classif",
    "sklearn.metrics._classification.accuracy_score",
    "sklearn.metrics._classification.balanced_accuracy_score",
    "sklearn.metrics._classification.f1_score",
    "sklearn.metrics._classification.log_loss",
    "sklearn.metrics._classification.precision_score",
    "sklearn.metrics._classification.recall_score",
    "sklearn.metrics._dist_metrics.EuclideanDistance64",
    "sklearn.metrics._ranking.average_precision_score",
    "sklearn.metrics._ranking.roc_auc_score",
    "sklearn.metrics._regression.mean_absolute_error",
    "sklearn.metrics._regression.mean_squared_error",
    "sklearn.metrics._regression.r2_score",
    "sklearn.metrics._regression.root_mean_squared_error",
    "sklearn.metrics._scorer._PassthroughScorer",
    "sklearn.metrics._scorer._Scorer",
    "sklearn.model_selection._split.GroupKFold",
    "sklearn.model_selection._split.KFold",
    "sklearn.model_selection._split.RepeatedKFold",
    "sklearn.model_selection._split.RepeatedStratifiedKFold",
    "sklearn.model_selection._split.ShuffleSplit",
    "sklearn.model_selection._split.StratifiedKFold",
    "sklearn.model_selection._split.StratifiedShuffleSplit",
    "sklearn.model_selection._split.TimeSeriesSplit",
    "sklearn.neighbors._ball_tree.BallTree",
    "sklearn.neighbors._kd_tree.KDTree",
    "sklearn.neural_network._stochastic_optimizers.AdamOptimizer",
    "sklearn.tree._tree.Tree",
    "sklearn.utils._bunch.Bunch",
    "sklearn.utils.validation.check_array",
)
"""Types that skops does not trust of itself, that common estimators need, and whose loading runs no code of the file.

Compiled code trusts the numbers that it finds in many of them, so `packaging.formats.checks` checks those on loading.
"""

FEATURE_TYPE = "cellops.data.features.feature_set.FeatureSet"
"""The type of features, which execute code that comes with the model."""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Every setting, with its default; the field `name` is set by `CELLOPS_NAME`."""

    project: Path
    """The project's folder: the nearest one upwards with .cellops, pyproject.toml or .git, else the current one."""
    folder: Path
    """Where cellops keeps journal, spool, local MLflow store, packages and logs. Default: PROJECT/.cellops."""
    tracking_uri: str
    """The MLflow tracking store. Default: MLFLOW_TRACKING_URI, else sqlite in the folder above."""
    experiment: str
    """The MLflow experiment of runs that name none. Default: the name of the project's folder."""
    capture: bool = True
    """Whether `%load_ext cellops` captures cells."""
    summary: bool = True
    """Whether a run cell ends with one line that names the run."""
    writer: bool = True
    """Whether a background process carries records to MLflow; without it, `cellops sync` does."""
    writer_patience: Annotated[float, msgspec.Meta(ge=0, le=LONGEST_WAIT)] = 30.0
    """Seconds for which the background writer tries an unreachable tracking server; the rest is left to sync."""
    gates: tuple[str, ...] = ()
    """What the runs of every `cellops execute` must satisfy; in the environment with `;` or a line end between them."""
    cache_limit: Annotated[int, msgspec.Meta(ge=0)] = 10_000_000_000
    """Bytes that steps of pipelines may keep; beyond it, what was used longest ago is deleted."""
    step_store: str | None = None
    """Address, as fsspec takes it, of a folder where other machines find what is kept of steps: `s3://bucket/steps`."""
    step_store_key: str | None = None
    """Signs what is kept there: steps signed with another key are not used, as a pickle can run any code."""
    patch_limit: Annotated[int, msgspec.Meta(ge=0)] = 1_000_000
    """Largest uncommitted patch kept with a run, in bytes."""
    trusted_types: tuple[str, ...] = ()
    """Types beyond the built-in allow-list that a model may be made of (full names)."""
    allow_pickle: bool = False
    """Whether a package whose model is a pickle may be loaded. A pickle can run any code."""
    allow_code: bool = False
    """Whether code that a package brings, the functions of its features, may be executed. It can do anything."""
    trusted_keys: tuple[str, ...] = ()
    """Public keys, or files of them, of which one must have signed a package; without any nobody needs to have."""
    server_token: str | None = None
    """The token that clients of the server send; made anew at each start where none is set."""
    server_tokens: str | None = None
    """File of the tokens that `cellops token` makes for clients. Default: PROJECT/.cellops/server-tokens.json."""
    server_rate: str | None = None
    """How many requests each client may send: `10/second`, or several with `;` between them. Default: any number."""
    server_rate_store: str | None = None
    """Redis in which servers count requests together: `redis://HOST:PORT`. Default: each counts its own."""
    server_wrong_tokens: Annotated[int, msgspec.Meta(ge=0)] = 20
    """Wrong tokens that an address may send in a minute before no other from there is looked at; 0 for any number."""
    server_reject: tuple[str, ...] = ()
    """Rules of packages that reject here, whatever they say: columns, or `RULE(COLUMN)`; with `;` between them."""
    server_fallback_answer: str | None = None
    """What the server answers where no model gives a valid answer: a class, or a number. Default: an error."""
    server_oidc_issuer: str | None = None
    """Provider of OpenID Connect whose tokens the server takes, too: `https://login.example.com/realms/models`."""
    server_oidc_audience: str | None = None
    """For whom its tokens must be: the name by which the provider knows this server."""
    server_oidc_keys: str | None = None
    """Its public keys: a JWKS, as a file or an address. Default: where the issuer's discovery document says."""
    server_oidc_claim: str = "scope"
    """The claim that says what a token allows."""
    server_oidc_prefix: str = "cellops:"
    """What stands there before a scope as tokens of the server have it: `cellops:predict`."""
    server_max_bytes: Count = 16_000_000
    """Largest request body in bytes."""
    server_max_rows: Count = 100_000
    """Most rows in one request."""
    server_request_seconds: Annotated[float, msgspec.Meta(gt=0, le=LONGEST_WAIT)] = 30.0
    """Longest time in which the head of a request, then its body, must have come, and then its answer be there."""
    server_wait_seconds: Annotated[float, msgspec.Meta(gt=0, le=LONGEST_WAIT)] = 1.0
    """Longest time that a request may be expected to wait for its model; more are refused at once, but for a few."""
    server_admin_seconds: Annotated[float, msgspec.Meta(gt=0, le=LONGEST_WAIT)] = 300.0
    """Longest time that an order on the admin port is waited for, such as to load a package; it goes on after that."""
    server_shadow_mb: Annotated[int, msgspec.Meta(ge=64)] = 2048
    """MiB of memory that a challenger in the shadow may take before its process is ended and started again."""
    server_batching: Batching = "auto"
    """Whether one call of a model may answer several requests that wait: `auto` where each then gets bit for bit the
    answer that it gets alone, `always` also where the last bits of a probability may differ, or `off`."""
    server_log_format: Literal["text", "json"] = "text"
    """How the server tells of itself on standard error: `json` is a line for each message and each request."""
    server_log_share: Annotated[float, msgspec.Meta(ge=0, le=1)] = 1.0
    """Share of the requests answered well that have a line there; those that were refused or failed always have one."""
    server_explain_rows: Count = 10
    """Most rows of one request that are explained."""
    server_explain_evaluations: Count = 102_400
    """How many rows the model may answer to explain one: enough for exact values of ten inputs; else sampled."""
    server_explain_seconds: Annotated[float, msgspec.Meta(gt=0, le=LONGEST_WAIT)] = 10.0
    """Longest time that the explanation of a request may take."""
    log_flush_seconds: Annotated[float, msgspec.Meta(gt=0, le=LONGEST_WAIT)] = 0.5
    """How often logged predictions are written out; at most this much is missing after a crash of the server."""
    log_segment_rows: Count = 100_000
    """Rows after which a segment of the prediction log is closed and compacted to Parquet."""
    log_segment_seconds: Annotated[float, msgspec.Meta(gt=0, le=LONGEST_WAIT)] = 300.0
    """Seconds after which a segment is closed all the same, where the prediction log has an address."""
    log_store: str | None = None
    """Address, as fsspec takes it, where each model's log is uploaded to a folder of its own: `s3://bucket/logs`."""
    log_queue_rows: Count = 250_000
    """Rows of the prediction log that may wait for the disk; beyond that the log is full."""
    log_queue_mb: Count = 256
    """MiB of requests whose rows may wait for it, which is less where strings are long."""
    log_on_full: Literal["drop", "refuse"] = "drop"
    """While the log cannot be written: `drop` answers on and counts what is lost, `refuse` answers 503."""
    log_pii_key: Annotated[str, msgspec.Meta(min_length=16)] | None = None
    """Hashes the columns in the log that a package declares personal; without it they are not logged."""
    kafka_config: str | None = None
    """File of properties, as librdkafka names them, for the topics of `cellops score`: `security.protocol=SASL_SSL`."""
    online_store: str | None = None
    """Redis for the online features of Feast: `redis://HOST:PORT`. Default: sqlite in their folder."""
    archive: str | None = None
    """Folder or address, as fsspec takes it, where `cellops archive` puts packages. Default: .cellops/archive."""
    alarm_rate: Annotated[float, msgspec.Meta(gt=0, lt=1)] = 0.05
    """Share of false alarms among all alarms of drift, below which `cellops drift` stays."""
    review_below: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.6
    """Confidence below which an answer waits in the queue of `cellops review`."""
    debug: bool = False
    """Whether the command line shows an error that nobody expected with its traceback."""

    @property
    def trusted(self) -> tuple[str, ...]:
        """The whole allow-list of types that a model may be made of."""
        return (*BUILT_IN_TRUSTED_TYPES, *self.trusted_types, *((FEATURE_TYPE,) if self.allow_code else ()))

    @property
    def tokens(self) -> Path:
        """The file of the tokens of clients."""
        if self.server_tokens is None:
            return self.folder / "server-tokens.json"
        return self.project / expanded(self.server_tokens)

    @property
    def store(self) -> str:
        """Which tracking store this is, without credentials, so that it can be recorded and shown."""
        return LOCAL if self.tracking_uri == local_store(self.folder) else without_credentials(self.tracking_uri)

    def holds(self, path: str | Path) -> bool:
        """Whether a path that a record names lies in cellops' own folder, wherever links lead."""
        return Path(path).resolve().is_relative_to(self.folder.resolve())

    def with_store(self, store: str) -> Self:
        """The same settings with the store that `store` recorded; its credentials, if any, are the environment's."""
        if store == self.store:
            return self
        return msgspec.structs.replace(self, tracking_uri=local_store(self.folder) if store == LOCAL else store)


def expanded(path: str | Path) -> Path:
    """A path with the home folder in the place of its `~`.

    Raises
    ------
    UsageError
        When there is no such home folder.
    """
    try:
        return Path(path).expanduser()
    except RuntimeError as error:
        fact = f"{path} begins with a ~ for which there is no home folder"
        raise UsageError(fact, remedy="Write the whole path") from error


def local_store(folder: Path) -> str:
    """The tracking store of a project that names none."""
    path = str(folder / LOCAL_STORE)
    quoted = path.translate(NOT_IN_A_URI)
    # Where it does not name the driver, MLflow makes the folder of the quoted path too.
    return f"sqlite:///{path}" if quoted == path else f"sqlite+pysqlite:///{quoted}"


def without_credentials(text: str) -> str:
    """An address, or a text that quotes one, without user, password and token."""
    begun = WHOLE_ADDRESS.match(text)
    if begun:
        scheme = text.partition("://")[0]
        text = f"{scheme}://{text[begun.end() :]}"
    return SECRET_OF_A_QUERY.sub(r"\1…", USER_OF_AN_ADDRESS.sub("", text))


def prepare(folder: Path) -> Path:
    """Make the folder of cellops' own files; git does not see one that was new or empty.

    Raises
    ------
    SettingsError
        When it cannot be made or written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if next(folder.iterdir(), None) is None:
            (folder / ".gitignore").write_text("*\n", encoding="utf-8")
    except OSError as error:
        raise unusable(folder, error.strerror or str(error)) from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise unusable(folder, "Permission denied")
    return folder


def load(start: Path | None = None) -> Settings:
    """Read the settings that hold for `start` (default: the current folder).

    Raises
    ------
    SettingsError
        When a setting is unknown or has a value that does not fit.
    """
    given = from_environment(_fields())
    project = _named_project(given.pop("project", None)) or find_project(_existing(start or Path()))
    given = {**from_pyproject(project, _fields()), **given}
    folder = _own_folder(project, given.pop("folder", None))
    values = {name: _converted(name, setting) for name, setting in given.items()}
    defaults = {
        "tracking_uri": os.environ.get("MLFLOW_TRACKING_URI") or local_store(folder),
        "experiment": os.environ.get("MLFLOW_EXPERIMENT_NAME") or project.name or "cellops",
    }
    settings = Settings(**{**defaults, **values, "project": project, "folder": folder})
    return msgspec.structs.replace(settings, tracking_uri=_absolute(settings.tracking_uri, project))


def _absolute(uri: str, project: Path) -> str:
    """A relative path of a database is the project's: kernel, writer and terminal have different current folders."""
    scheme, separator, path = uri.partition(":///")
    relative = scheme.partition("+")[0] == "sqlite" and path and not Path(path).is_absolute() and path != ":memory:"
    if not relative:
        return uri
    quoted = str(project).translate(NOT_IN_A_URI)
    # As in `local_store`; the path itself was given as part of an address.
    scheme = scheme if "+" in scheme or quoted == str(project) else f"{scheme}+pysqlite"
    return f"{scheme}{separator}{quoted}/{path}"


def names_server(project: Path) -> bool:
    """Whether the project's pyproject.toml names a tracking store that other machines reach too."""
    given = from_pyproject(project, _fields()).get("tracking_uri")
    return given is not None and not str(given.value).startswith(("sqlite", "file:", "/", "."))


def wants_tracebacks() -> bool:
    """Whether `CELLOPS_DEBUG` asks for tracebacks; settings that cannot be read ask for none."""
    try:
        return load().debug
    except SettingsError:
        return False


def find_project(start: Path) -> Path:
    """The nearest folder from `start` upwards that looks like a project, else `start` itself."""
    for folder in (start, *start.parents):
        # Unlike pathlib's, os.path's say no where a folder may not be searched.
        if any(os.path.exists(folder / mark) for mark in PROJECT_MARKS):  # noqa: PTH110
            return folder
    return start


def _existing(start: Path) -> Path:
    try:
        return start.resolve()
    except OSError as error:
        fact = "The current folder does not exist any more"
        raise SettingsError(fact, remedy="Change to another one, or set CELLOPS_PROJECT") from error


def _named_project(given: Given | None) -> Path | None:
    if given is None:
        return None
    project = _path(given).resolve()
    if not os.path.isdir(project):  # noqa: PTH112
        fact = "names no folder"
        raise given.error(fact)
    return project


def _own_folder(project: Path, given: Given | None) -> Path:
    if given is None:
        return project / ".cellops"
    folder = (project / _path(given)).resolve()
    if project.is_relative_to(folder):
        fact = "names the project's folder or one above it, and cellops needs a folder of its own, such as .cellops"
        raise given.error(fact)
    return folder


def _path(given: Given) -> Path:
    if not isinstance(given.value, str):
        fact = "must be a path"
        raise given.error(fact)
    if "\0" in given.value:
        fact = "holds a NUL character, which no path may"
        raise given.error(fact)
    try:
        return Path(given.value).expanduser()
    except RuntimeError as error:
        fact = "begins with a ~ for which there is no home folder"
        raise given.error(fact) from error


def unusable(folder: Path, reason: str) -> SettingsError:
    """The error of a folder in which nothing can be kept."""
    fact = f"cellops cannot keep its files in {folder}: {reason}"
    return SettingsError(fact, remedy="Make it a folder that you can write, or name another with CELLOPS_FOLDER")


def _converted(name: str, given: Given) -> Any:
    """The value as the type of the setting."""
    value = given.value
    if name == "trusted_types" and isinstance(value, str):
        value = [kind.strip() for kind in value.split(",") if kind.strip()]
    if name == "trusted_keys" and isinstance(value, str):
        value = [key.strip() for key in value.split(",") if key.strip()]
        if not value:  # whoever set it wants packages to be signed
            fact = "names no key"
            raise given.error(fact)
    if name == "server_reject" and isinstance(value, str):
        value = [rule.strip() for rule in value.split(";") if rule.strip()]
    if name == "gates" and isinstance(value, str):
        value = [gate.strip() for gate in value.split("\n" if "\n" in value else ";") if gate.strip()]
    wants = _fields()[name].type
    try:
        return msgspec.convert(value, wants, strict=False)
    except msgspec.ValidationError as error:
        wanted = str(error).partition(" - at ")[0].replace("Expected", "Expected:", 1)
        if get_origin(wants) is Literal:
            wanted = f"Expected: {' or '.join(get_args(wants))}"
        fact = f"has a value that does not fit. {wanted}".replace("`", "")
        raise given.error(fact, secret=name in SECRETS) from error


def _fields() -> dict[str, Any]:
    return {field.name: field for field in msgspec.structs.fields(Settings)}
