"""A fleet of malicious packages, all refused before any code of theirs runs."""

import builtins
import importlib
import shutil
import sys
import warnings

import pytest
from sklearn.datasets import load_diabetes
from sklearn.linear_model import Ridge

from cellops.errors import PackageError
from cellops.packaging.audit.package import audit_package
from cellops.packaging.build import build_package
from cellops.packaging.contract import build_contract
from cellops.packaging.copying import pack, unpacked
from cellops.packaging.formats import Trust
from cellops.packaging.load import load_package, read_contract
from cellops.settings import BUILT_IN_TRUSTED_TYPES
from support.malicious import FLEET, edit, planted, seal

TRUST = Trust(frozenset(BUILT_IN_TRUSTED_TYPES))


@pytest.fixture(scope="module")
def sound(recorded, save_model, tmp_path_factory):
    """A package in order, of a model that is fitted at once."""
    folder = tmp_path_factory.mktemp("sound")
    data = load_diabetes(as_frame=True)
    model = Ridge().fit(data.data[:300], data.target[:300])
    parts = [(data.data[:300], data.target[:300]), (data.data[300:], data.target[300:])]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        contract = build_contract(model, *parts, parity_rows=5)
    return build_package(save_model(model, folder / "mlflow"), contract, *recorded, folder / "model", name="model")


@pytest.fixture
def package(sound, tmp_path):
    return shutil.copytree(sound, tmp_path / "model")


@pytest.fixture
def marker(tmp_path, monkeypatch):
    """What a payload would make; and no module may be imported because a package names it."""
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "cellops_trap.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    yield tmp_path / "ran"
    assert not (tmp_path / "ran").exists()
    assert "cellops_trap" not in sys.modules


def test_the_sound_package_is_loaded_and_its_audit_has_nothing_to_say(package):
    assert load_package(package)
    done = audit_package(package, TRUST)
    assert (done.findings, done.refused, done.runs_code) == ((), False, False)
    assert done.verdict == "Loading runs no code of the package"


@pytest.mark.parametrize("name", FLEET)
def test_it_is_refused_before_any_code_of_it_runs(name, package, marker):
    FLEET[name](package, marker)
    with pytest.raises(PackageError) as caught:
        load_package(package)
    assert caught.value.remedy
    assert all(line.isprintable() for line in caught.value.lines())
    done = audit_package(package, TRUST)
    assert done.refused
    assert done.verdict.startswith("Refused before anything is loaded")


@pytest.mark.parametrize("name", [name for name in FLEET if "skops" in name or "pickle" in name])
def test_it_is_refused_as_an_archive_too(name, package, marker, tmp_path):
    FLEET[name](package, marker)
    try:
        pack(package, tmp_path / "model.zip")
    except PackageError:
        return  # its files are not those of its manifest: it cannot even be packed
    with pytest.raises(PackageError):
        load_package(tmp_path / "model.zip")
    assert audit_package(tmp_path / "model.zip", TRUST).refused


@pytest.mark.parametrize("name", FLEET)
def test_no_file_of_it_is_left_anywhere_when_it_is_unpacked(name, package, marker, monkeypatch, tmp_path):
    FLEET[name](package, marker)
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    try:
        with unpacked(package) as (copy, _):
            assert not any(path.is_symlink() for path in copy.rglob("*"))
    except PackageError:
        pass
    assert list((tmp_path / "temporary").iterdir()) == []
    assert not (tmp_path / "outside").exists()


def test_an_audit_imports_and_unpickles_nothing(package, marker, monkeypatch):
    """Not even with settings that allow everything: it looks, and does not load."""
    import pickle

    import skops.io

    trust = Trust(frozenset({*BUILT_IN_TRUSTED_TYPES, "cellops_trap.Thing", "os.mkdir"}), pickle=True)
    for name in ("a pickle as pickle", "joblib as a pickle", "skops with a module of its own", "skops with a partial"):
        changed = shutil.copytree(package, package.parent / name.replace(" ", "-"))
        FLEET[name](changed, marker)
        with monkeypatch.context() as patch:
            patch.setattr(pickle, "loads", lambda *_, **__: pytest.fail("it was unpickled"))
            patch.setattr(skops.io, "loads", lambda *_, **__: pytest.fail("it was loaded"))
            patch.setattr(builtins, "__import__", _watched(builtins.__import__))
            patch.setattr(importlib, "import_module", _watched(importlib.import_module))
            done = audit_package(changed, trust)
        assert not done.refused, done.findings
        assert done.runs_code is ("pickle" in name)


def _watched(real):
    def imported(name, *arguments, **options):
        assert name != "cellops_trap"
        return real(name, *arguments, **options)

    return imported


def test_a_model_that_is_changed_after_it_was_digested_is_not_the_one_that_is_loaded(package, marker, monkeypatch):
    from cellops.packaging import load

    real = load.verify

    def then_changed(path, **options):
        verified = real(path, **options)
        FLEET["a pickle as skops"](package, marker)
        return verified

    monkeypatch.setattr(load, "verify", then_changed)
    assert load_package(package).provenance.model_format == "skops"


def test_what_a_package_says_to_a_terminal_is_written_out(package, marker, capsys):
    from cellops import screens

    escape = "\x1b]0;gotcha\x07\u202e\x9b31m"
    planted(lambda _: {"__class__": escape, "__module__": "os", "__loader__": "ObjectNode", "content": None})(
        package, marker
    )
    loader = escape.encode("unicode_escape").decode()
    (package / "MLmodel").write_text(f'flavors: {{python_function: {{loader_module: "{loader}"}}}}')
    (package / "requirements.txt").write_text(f"evil{escape} @ https://example.com/x\n")
    edit(package / "provenance.json", lambda document: document.update(notebook=escape, created=escape))
    seal(package)
    (package / "manifest.sig").write_text(
        '{"version": 1, "signatures": [{"key": "\\u001b[31m", "signature": "\\u001b[0m"}]}'
    )
    done = audit_package(package, TRUST)
    assert {finding.code for finding in done.findings} == {"trust", "mlflow-runs-code", "foreign-requirement"}
    for as_json in (False, True):
        screens.audited(done, everything=True, as_json=as_json)
        shown = capsys.readouterr().out
        assert all(character == "\n" or character.isprintable() for character in shown)
        assert "gotcha" in shown
    with pytest.raises(PackageError) as caught:
        load_package(package)
    assert str(caught.value).isprintable()


def test_what_is_only_said_is_refused_without_the_model_too(package, marker):
    """The verbs that need no model refuse what is wrong with the files all the same."""
    from support.malicious import FILES

    for name in ("a changed byte", "a linked folder", "a pipe", "a manifest that lists less"):
        changed = shutil.copytree(package, package.parent / name.replace(" ", "-"))
        FILES[name](changed, marker)
        with pytest.raises(PackageError):
            read_contract(changed)
