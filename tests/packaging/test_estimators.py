import subprocess
import sys
import textwrap
from pathlib import Path

from sklearn.utils import all_estimators

from cellops.packaging.formats.checks import audited
from cellops.packaging.formats.estimators import is_estimator

NAMES = {f"{kind.__module__}.{kind.__name__}" for _, kind in all_estimators()}


def test_what_scikit_learn_lists_is_an_estimator() -> None:
    checked = set(filter(audited, NAMES))
    assert len(checked) > 100
    assert set(filter(is_estimator, checked)) == checked


def test_nothing_else_that_it_holds_is_one() -> None:
    """Private classes, abstract ones, functions and names that are not there: skops would not trust them either."""
    others = {
        f"{module}.{name}"
        for module, held in list(sys.modules.items())
        if audited(f"{module}.")
        for name in vars(held)
        if f"{module}.{name}" not in NAMES and getattr(held, name).__class__ is type
    }
    assert len(others) > 100
    named = {name for name in others if is_estimator(name)}
    own = {f"{kind.__module__}.{kind.__name__}" for kind in map(_found, named)}
    assert own <= NAMES
    assert not is_estimator("sklearn.pipeline.Nothing")
    assert not is_estimator("sklearn.nowhere.Pipeline")


def _found(name: str) -> type:
    module, _, kind = name.rpartition(".")
    found: type = getattr(sys.modules[module], kind)
    return found


def run(code: str, *words: str) -> str:
    command = [sys.executable, "-c", textwrap.dedent(code), *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_model_is_loaded_without_the_rest_of_scikit_learn_and_skops_is_whole_for_others(flights_folder: Path) -> None:
    said = run(
        """
        import sys
        from pathlib import Path
        from cellops.packaging.formats import FORMATS, Trust
        from cellops.settings import BUILT_IN_TRUSTED_TYPES

        content = Path(sys.argv[1]).read_bytes()
        model = FORMATS["skops"].load(content, Trust(frozenset(BUILT_IN_TRUSTED_TYPES)))
        print(type(model).__name__, "sklearn.semi_supervised" in sys.modules, "pytest" in sys.modules)

        import skops.io
        from sklearn.covariance import EllipticEnvelope
        print(skops.io.get_untrusted_types(data=skops.io.dumps(EllipticEnvelope())))
        print(len(skops.io._general.SKLEARN_ESTIMATOR_TYPE_NAMES))
        """,
        str(flights_folder / "model.skops"),
    )
    assert said.splitlines()[:2] == ["Pipeline False False", "[]"]
    assert int(said.splitlines()[2]) == len(NAMES)


def test_functions_without_a_module_have_the_places_that_skops_itself_finds() -> None:
    told = """
        import json
        import skops.io._trusted_types as known
        import skops.io._utils as utils

        names = {name: held for name, held in vars(known).items() if name.endswith("UFUNC_TYPE_NAMES")}
        print(json.dumps(names, sort_keys=True), utils.whichmodule.__qualname__)
    """
    quick = """
        import cellops.packaging.formats.estimators as estimators
        estimators.skops_io()
    """
    ours, own = run(textwrap.dedent(quick) + textwrap.dedent(told)), run(told)
    assert "scipy.special._ufuncs.ndtri" in own
    assert ours == own
