import os
from importlib import import_module
from pathlib import Path
from typing import Any

from cellops.errors import DataError, UsageError

ENDPOINT = "LAKECTL_SERVER_ENDPOINT_URL"
KEY = "LAKECTL_CREDENTIALS_ACCESS_KEY_ID"
SECRET = "LAKECTL_CREDENTIALS_SECRET_ACCESS_KEY"  # noqa: S105 - the name of a variable
API = "/api/v1"
SCHEME = "lakefs://"


def lakefs_object(target: str, reference: str, folder: Path) -> Path:
    """A copy of an object of lakeFS as it was at a commit.

    The server and its keys are those of lakeFS's own command: `LAKECTL_SERVER_ENDPOINT_URL`,
    `LAKECTL_CREDENTIALS_ACCESS_KEY_ID` and `LAKECTL_CREDENTIALS_SECRET_ACCESS_KEY` in the environment.

    Parameters
    ----------
    target
        `lakefs://REPOSITORY/PATH`.
    reference
        A commit, or a tag. A branch is refused: what it points to changes.
    folder
        Where the copy goes.

    Raises
    ------
    UsageError
        When lakefs-sdk is not installed, or no server is named.
    DataError
        When the reference is a branch, or the server does not have the object any more, or does not answer.
    """
    try:
        sdk: Any = import_module("lakefs_sdk")
    except ImportError as error:
        fact = f"{target} is in lakeFS, which lakefs-sdk reads, and lakefs-sdk is not installed"
        raise UsageError(fact, remedy='Run: pip install "cellops[lakefs]"') from error
    if not os.environ.get(ENDPOINT):
        fact = f"{target} is in lakeFS, and no server is named"
        raise UsageError(fact, remedy=f"Set {ENDPOINT}, {KEY} and {SECRET}")
    repository, _, path = target.removeprefix(SCHEME).partition("/")
    host = os.environ[ENDPOINT].rstrip("/").removesuffix(API) + API
    configuration = sdk.Configuration(host=host, username=os.environ.get(KEY), password=os.environ.get(SECRET))
    try:
        with sdk.ApiClient(configuration) as client:
            _refuse_branch(sdk, client, repository, reference)
            content = sdk.ObjectsApi(client).get_object(repository, reference, path)
    except Exception as error:
        if isinstance(error, DataError):
            raise
        fact = f"lakeFS does not give {path} of {repository} at {reference}: {_said(error)}"
        raise DataError(
            fact, remedy="Look whether the server answers, and whether the commit is still there"
        ) from error
    copy = folder / Path(path).name
    copy.write_bytes(content)
    return copy


def _refuse_branch(sdk: Any, client: Any, repository: str, reference: str) -> None:
    """Say that a branch names no version; with the commit that it points to now."""
    try:
        branch = sdk.BranchesApi(client).get_branch(repository, reference)
    except sdk.exceptions.NotFoundException:
        return
    fact = f"The run has read the branch {reference} of {repository}, and nobody knows what it pointed to then"
    remedy = f"Read commits: lakefs://{repository}/{branch.commit_id[:12]}/… is what it points to now"
    raise DataError(fact, remedy=remedy)


def _said(error: Exception) -> str:
    return str(getattr(error, "reason", None) or error).splitlines()[0][:200]
