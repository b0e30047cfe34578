"""cellops: from a notebook cell to a proven, served and watched model.

In a notebook: `%load_ext cellops`. In a terminal: `cellops --help`. From Python: the verbs below.
"""

from typing import TYPE_CHECKING, Any

from cellops.version import __version__ as __version__

VERBS = (
    "archive",
    "audit",
    "check_split",
    "clean",
    "compare",
    "dataset",
    "drift",
    "execute",
    "expect",
    "export",
    "features",
    "graph",
    "models",
    "key",
    "package",
    "profile",
    "promote",
    "rebuild_split",
    "register",
    "report",
    "restore",
    "retire",
    "review",
    "rollout",
    "runs",
    "score",
    "serve",
    "show",
    "sign",
    "split",
    "sweep",
    "sync",
    "try_deployment",
    "verify",
)

OTHERS = {
    "Events": "cellops.data.features.events",
    "FeastStore": "cellops.data.features.feast_store",
    "Secret": "cellops.capture.secrets",
    "check_leakage": "cellops.data.features.leakage",
    "deep_features": "cellops.data.features.deep_features",
    "point_in_time": "cellops.data.features.point_in_time",
}
"""What is no verb, with the module that holds it."""

if TYPE_CHECKING:
    from cellops.capture.secrets import Secret as Secret
    from cellops.data.features.deep_features import deep_features as deep_features
    from cellops.data.features.events import Events as Events
    from cellops.data.features.feast_store import FeastStore as FeastStore
    from cellops.data.features.leakage import check_leakage as check_leakage
    from cellops.data.features.point_in_time import point_in_time as point_in_time
    from cellops.flows.archive import archive as archive
    from cellops.flows.audit import audit as audit
    from cellops.flows.check_split import check_split as check_split
    from cellops.flows.compare import compare as compare
    from cellops.flows.dataset import dataset as dataset
    from cellops.flows.drift import drift as drift
    from cellops.flows.execute import execute as execute
    from cellops.flows.expect import expect as expect
    from cellops.flows.export import export as export
    from cellops.flows.features import features as features
    from cellops.flows.graph import graph as graph
    from cellops.flows.key import key as key
    from cellops.flows.models import models as models
    from cellops.flows.package import package as package
    from cellops.flows.profile import profile as profile
    from cellops.flows.promote import promote as promote
    from cellops.flows.rebuild_split import rebuild_split as rebuild_split
    from cellops.flows.register import register as register
    from cellops.flows.report import report as report
    from cellops.flows.restore import restore as restore
    from cellops.flows.retire import retire as retire
    from cellops.flows.review import review as review
    from cellops.flows.rollout import rollout as rollout
    from cellops.flows.runs import runs as runs
    from cellops.flows.runs import show as show
    from cellops.flows.score import score as score
    from cellops.flows.serve import serve as serve
    from cellops.flows.sign import sign as sign
    from cellops.flows.split import split as split
    from cellops.flows.sweep import sweep as sweep
    from cellops.flows.sync import sync as sync
    from cellops.flows.try_deployment import try_deployment as try_deployment
    from cellops.flows.verify import verify as verify
    from cellops.magics import Notebook


def __getattr__(name: str) -> Any:
    """Bring a verb when it is asked for, each one function of `cellops.flows`; and the tools that notebooks use."""
    if name not in VERBS and name not in OTHERS:
        fact = f"module 'cellops' has no attribute {name!r}; its verbs are {', '.join(VERBS)}"
        raise AttributeError(fact)
    from importlib import import_module

    of_verbs = "cellops.flows.runs" if name == "show" else f"cellops.flows.{name}"
    return getattr(import_module(OTHERS.get(name, of_verbs)), name)


def __dir__() -> list[str]:
    return sorted([*VERBS, *OTHERS, "__version__"])


def load_ipython_extension(shell: Any) -> None:
    """`%load_ext cellops`: register the magics and begin to capture, or say that this kernel does so already."""
    notebook_of(shell).load()


def notebook_of(shell: Any) -> "Notebook":
    """The notebook face of an IPython shell, which is one for as long as the extension is loaded."""
    from cellops.magics import Notebook

    if getattr(shell, "cellops", None) is None:
        shell.cellops = Notebook(shell)
    found: Notebook = shell.cellops
    return found


def unload_ipython_extension(shell: Any) -> None:
    """`%unload_ext cellops`: take everything away again."""
    shell.cellops.unload()
    del shell.cellops
