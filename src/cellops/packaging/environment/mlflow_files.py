"""The files in which MLflow describes the environment of a model, from what the run has recorded."""

from collections.abc import Mapping

from cellops.packaging.environment.pins import pinned
from cellops.records.run import Environment
from cellops.yaml_text import yaml_text

REQUIREMENTS = "requirements.txt"
CONDA = "conda.yaml"
PYTHON_ENV = "python_env.yaml"
BUILDING = ("pip", "setuptools", "wheel")


def mlflow_files(environment: Environment, needed: Mapping[str, str | None]) -> dict[str, str]:
    """The three files by name, which say the same: the run's Python, and what the model needs.

    Parameters
    ----------
    needed
        The distributions that MLflow's loader needs, with the version of each where the run has not recorded one.

    Raises
    ------
    PackageError
        When one of them has a name or version that is none.
    """
    found = {name: environment.distributions.get(name, version) for name, version in needed.items()}
    lines = [pinned(name, version) for name, version in sorted(found.items())]
    python = environment.python
    building = [pinned(name, environment.distributions.get(name)) for name in BUILDING]
    conda = {
        "name": "mlflow-env",
        "channels": ["conda-forge"],
        "dependencies": [f"python={python}", "pip", {"pip": lines}],
    }
    return {
        REQUIREMENTS: "\n".join(lines) + "\n",
        CONDA: yaml_text(conda),
        PYTHON_ENV: yaml_text(
            {"python": python, "build_dependencies": building, "dependencies": [f"-r {REQUIREMENTS}"]}
        ),
    }
