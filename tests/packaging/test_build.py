import shutil
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier, BrokenBarrierError

import numpy as np
import pytest

from cellops.data.decoder import frame_columns
from cellops.errors import NotFoundError, PackageError, TrustError
from cellops.packaging import build as module
from cellops.packaging.build import build_package
from cellops.packaging.load import load_package
from cellops.packaging.manifest import plain_name, verify
from cellops.records.run import Environment


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


@pytest.fixture
def build(flights_folder, flights_contract, recorded, tmp_path):
    """Build the flights package, with any argument replaced."""
    environment, provenance = recorded

    def built(**changes) -> Path:
        given = {
            "model_folder": flights_folder,
            "contract": flights_contract,
            "environment": environment,
            "provenance": provenance,
            "output": tmp_path / "out" / "flights",
            "name": "flights",
            **changes,
        }
        return build_package(**given)

    return built


@pytest.mark.parametrize("name", ["flights_model", "cancer_model", "diabetes_model"])
def test_a_package_answers_as_the_model_does(name, request, save_model, recorded, tmp_path):
    trained = request.getfixturevalue(name)
    environment, provenance = recorded
    folder = save_model(trained.model, tmp_path / "model")
    contract = trained.contract()
    package = build_package(folder, contract, environment, provenance, tmp_path / "package", name=name)
    loaded = load_package(package)
    assert loaded.contract == contract
    rows = trained.evaluation[0].iloc[:200]
    answers = loaded.predictor.predict(frame_columns(contract.schema, rows))
    np.testing.assert_array_equal(answers.labels, trained.model.predict(rows))
    if contract.schema.probabilities:
        # The order of the frame in memory may change the last bit of a sum.
        np.testing.assert_allclose(answers.probabilities, trained.model.predict_proba(rows), rtol=0, atol=1e-12)
    else:
        assert answers.probabilities is None


def test_a_package_holds_what_its_layout_says(flights_package):
    assert set(contents(flights_package)) == {
        ".dockerignore",
        "Dockerfile",
        "MLmodel",
        "conda.yaml",
        "contract/background.json",
        "contract/importance.json",
        "contract/output.json",
        "contract/parity.json",
        "contract/performance.json",
        "contract/profile.json",
        "contract/schema.json",
        "contract/suite.json",
        "deployment/grafana/dashboards/model.json",
        "deployment/grafana/provisioning/dashboards/cellops.yml",
        "deployment/grafana/provisioning/datasources/prometheus.yml",
        "deployment/kserve/inference-service.yaml",
        "deployment/kubernetes/autoscaler.yaml",
        "deployment/kubernetes/deployment.yaml",
        "deployment/kubernetes/disruption-budget.yaml",
        "deployment/kubernetes/service.yaml",
        "deployment/prometheus.yml",
        "docker-compose.yml",
        "environment/environment.json",
        "environment/lock.txt",
        "environment/serving.txt",
        "manifest.json",
        "model-settings.json",
        "model.skops",
        "provenance.json",
        "python_env.yaml",
        "requirements.txt",
    }
    assert (flights_package / "environment/lock.txt").read_text() == "numpy==2.4.6\n# of no index: cellops==0.1.0\n"


def test_mlflow_loads_the_package_and_answers_the_parity_rows(flights_package, flights_model, monkeypatch):
    import mlflow.pyfunc
    import pandas as pd

    monkeypatch.setenv("MLFLOW_ALLOW_PICKLE_DESERIALIZATION", "true")
    parity = load_package(flights_package).contract.parity
    rows = pd.DataFrame(parity.inputs).astype(flights_model.training[0].dtypes)
    assert mlflow.pyfunc.load_model(str(flights_package)).predict(rows).tolist() == parity.labels


def test_building_again_gives_the_same_bytes_and_the_same_package_may_be_there_already(build, tmp_path):
    first = build()
    again = build(output=tmp_path / "again")
    assert contents(first) == contents(again)
    assert build() == first


def test_another_run_of_mlflow_with_the_same_model_gives_the_same_mlmodel(build, flights_folder, tmp_path):
    twin = tmp_path / "twin"
    twin.mkdir()
    for path in flights_folder.iterdir():
        (twin / path.name).write_bytes(path.read_bytes())
    text = (twin / "MLmodel").read_text()
    (twin / "MLmodel").write_text(text.replace("utc_time_created: '20", "utc_time_created: '19"))
    assert contents(build()) == contents(build(model_folder=twin, output=tmp_path / "second"))


def test_a_package_may_lie_anywhere(build, tmp_path):
    folder = tmp_path / "100%25 #1?"
    folder.mkdir()
    build(output=folder / "model")
    assert [path.name for path in tmp_path.iterdir()] == [folder.name]


def test_an_output_that_is_something_else_is_left_alone(build, tmp_path):
    output = tmp_path / "out" / "flights"
    output.mkdir(parents=True)
    (output / "notes.txt").write_text("mine")
    with pytest.raises(PackageError, match="is not this package"):
        build()
    assert contents(tmp_path / "out") == {"flights/notes.txt": b"mine"}


def test_a_model_that_answers_otherwise_is_refused_and_leaves_nothing(build, flights_contract, tmp_path):
    parity = flights_contract.parity
    wrong = parity.replace(probabilities=[[p + 1e-3, q - 1e-3] for p, q in parity.probabilities])
    with pytest.raises(PackageError, match="otherwise than in training, as in parity row 0") as caught:
        build(contract=flights_contract.replace(parity=wrong))
    assert caught.value.data["rows"] == [0, 1, 2, 3, 4]
    assert contents(tmp_path / "out") == {}


def test_a_build_that_fails_or_is_interrupted_leaves_nothing(build, tmp_path, flights_contract):
    class Interrupting(Environment, frozen=True, kw_only=True):
        def lock(self) -> str:
            raise KeyboardInterrupt

    environment = Interrupting(python="3.11.7", implementation="", platform="", machine="", cpu="", cores=1)
    with pytest.raises(KeyboardInterrupt):
        build(environment=environment)
    assert not (tmp_path / "out").exists()


@pytest.fixture
def at_once(build, monkeypatch):
    """Build several packages that are all complete before the first appears; what became of each."""
    replayed = module.replay

    def built(*all_changes) -> list[Path | PackageError]:
        ready, complete = Barrier(len(all_changes)), []

        def replay(*words) -> None:
            replayed(*words)
            complete.append(words)
            ready.wait(300)

        def one(changes) -> Path | PackageError:
            try:
                return build(**changes)
            except Exception as error:
                if isinstance(error, PackageError) and len(complete) == len(all_changes):
                    return error
                ready.abort()  # the others need not wait for this one
                raise

        monkeypatch.setattr(module, "replay", replay)
        with ThreadPoolExecutor(len(all_changes)) as pool:
            became = [pool.submit(one, changes) for changes in all_changes]
        raised = [each.exception() for each in became if each.exception() is not None]
        if raised:  # the reason of all, and not that somebody has waited in vain
            raise min(raised, key=lambda error: isinstance(error, BrokenBarrierError))
        return [each.result() for each in became]

    return built


@pytest.mark.parametrize("name", ["flights", "flights.zip"])
def test_the_same_package_may_be_built_twice_at_once(at_once, name, tmp_path):
    output = tmp_path / "out" / name
    assert at_once({"output": output}, {"output": output}) == [output, output]
    assert list(output.parent.iterdir()) == [output]
    assert verify(output)


@pytest.mark.parametrize("name", ["flights", "flights.zip"])
def test_of_two_packages_for_one_place_the_second_is_refused(at_once, name, tmp_path):
    output = tmp_path / "out" / name
    first, second = at_once({"output": output, "name": "a"}, {"output": output, "name": "b"})
    kept, refused = (first, second) if first == output else (second, first)
    assert kept == output
    assert "is already there, and is not this package" in str(refused)
    assert verify(output).manifest.name == ("a" if kept is first else "b")


def test_a_model_kept_as_a_pickle_needs_the_operators_word(build, save_model, flights_model, tmp_path):
    folder = save_model(flights_model.model, tmp_path / "pickled", serialization_format="cloudpickle")
    with pytest.raises(TrustError, match="CELLOPS_ALLOW_PICKLE=true") as caught:
        build(model_folder=folder)
    assert "sklearn.pipeline.Pipeline" in caught.value.data["types"]
    package = build(model_folder=folder, allow_pickle=True)
    assert load_package(package, allow_pickle=True).provenance.model_format == "pickle"
    with pytest.raises(TrustError, match="CELLOPS_ALLOW_PICKLE"):
        load_package(package)


def test_a_folder_without_a_model_is_refused(build, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(NotFoundError, match="no MLflow model"):
        build(model_folder=tmp_path / "empty")


def test_a_link_in_the_model_folder_is_refused(build, flights_folder, tmp_path):
    linked = tmp_path / "linked"
    linked.mkdir()
    for path in flights_folder.iterdir():
        (linked / path.name).write_bytes(path.read_bytes())
    (linked / "secrets").symlink_to("/etc")
    with pytest.raises(PackageError, match="secrets in the MLflow model is a link"):
        build(model_folder=linked)


def test_serving_a_package_imports_nothing_that_it_does_not_need(flights_package):
    code = (
        "import sys; from pathlib import Path; import cellops.cli.verbs, cellops.flows.serve, cellops.serving.server;"
    )
    code += f"from cellops.packaging.load import load_package as load; load(Path({str(flights_package)!r}));"
    code += "print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    never = {"mlflow", "jinja2", "matplotlib", "IPython", "torch", "dask", "pytest", "polars", "jupyter_client"}
    assert not never & {name.partition(".")[0] for name in done.stdout.split()}


def test_the_digest_stands_for_the_whole_package(flights_package):
    verified = verify(flights_package)
    assert (verified.manifest.name, verified.manifest.run, len(verified.digest)) == ("flights", "3f2a91c0", 64)
    assert load_package(flights_package).digest == verified.digest


@pytest.mark.parametrize("name", ["..", "../up", "/abs", "", ".hidden", "a/b", "a b", "ä", "x" * 129, "a\n"])
def test_a_name_that_no_package_can_have_is_refused(build, name, tmp_path):
    with pytest.raises(PackageError, match="A package's name is of letters"):
        build(name=name)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("text", "name"), [("../../etc", "etc"), ("späte Flüge", "sp-te-Fl-ge"), ("…", "model")])
def test_a_plain_name_is_one_that_a_package_can_have(build, text, name):
    assert plain_name(text) == name
    assert verify(build(name=plain_name(text * 40))).manifest.name


def test_a_package_says_nothing_of_the_machine(build, flights_folder, tmp_path):
    source = tmp_path / "downloaded"
    shutil.copytree(flights_folder, source)
    (source / "registered_model_meta").write_text("model_name: secret")
    text = (source / "MLmodel").read_text()
    (source / "MLmodel").write_text(f"artifact_path: file://{tmp_path}/artifacts\n{text}")
    package = build(model_folder=source)
    assert not (package / "registered_model_meta").exists()
    assert not [path for path, content in contents(package).items() if str(tmp_path).encode() in content]


@pytest.mark.parametrize("output", ["", ".", "..", "a/.."])
def test_an_output_that_names_no_new_folder(build, output, tmp_path, monkeypatch):
    (tmp_path / "a").mkdir()
    monkeypatch.chdir(tmp_path / "a")
    with pytest.raises(PackageError, match=r"names no folder|is already there"):
        build(output=Path(output))
    assert list((tmp_path / "a").iterdir()) == []


def test_an_output_that_is_a_file_or_lies_below_one(build, tmp_path):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(PackageError, match="is already there"):
        build(output=tmp_path / "file")
    with pytest.raises(PackageError, match="cannot be written to"):
        build(output=tmp_path / "file" / "package")
    assert (tmp_path / "file").read_text() == "mine"


def test_an_empty_folder_is_taken_and_a_long_name_refused_in_one_line(build, tmp_path):
    (tmp_path / "empty").mkdir()
    assert verify(build(output=tmp_path / "empty"))
    with pytest.raises(PackageError, match="cannot be written to") as caught:
        build(output=tmp_path / "new" / ("x" * 300))
    assert "\n" not in str(caught.value)
    with pytest.raises(PackageError, match="cannot be written to"):
        build(output=tmp_path / ("x" * 300))
    assert not (tmp_path / "new").exists()


def test_a_full_disk_leaves_nothing(build, tmp_path):
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, before[1]))
    try:
        with pytest.raises(PackageError, match="cannot be written to"):
            build(output=tmp_path / "deep" / "new" / "package")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert not (tmp_path / "deep").exists()


@pytest.mark.parametrize("name", ["flights.tar", "flights.tar.gz", "flights.TGZ"])
def test_a_name_of_another_kind_of_archive_is_refused_at_once(build, tmp_path, name):
    with pytest.raises(PackageError, match=r"folder or a zip archive.*\.zip"):
        build(output=tmp_path / "out" / name)
    assert not (tmp_path / "out").exists()
