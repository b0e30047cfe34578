"""Which code ran: git's commit, and what the work tree had on top of it."""

import hashlib
import re
from pathlib import Path

from cellops.capture.blobs import Blobs
from cellops.capture.environment.repository import git, repository, work_tree
from cellops.capture.redaction import is_secret, redact
from cellops.capture.secrets import REDACTED
from cellops.records.run import CodeVersion

SOURCE_SUFFIXES = (".py", ".ipynb")
FILE_OF_A_PATCH = re.compile(r"(?m)^(?=diff --git )")
CONFIGURATION = (".yaml", ".yml", ".env", ".ini", ".cfg", ".conf", ".properties", ".toml")
CONFIGURATION_LINE = re.compile(
    r"(?m)^(?P<begin>[+\- ]\s{0,80}+(?P<name>[\w.-]{1,128}+)\s?+[:=]\s?+)(?P<value>[^\s\"'\[][^\n]*)$"
)
MOST_UNTRACKED = 500


def read_code_version(folder: Path, patches: Blobs, *, patch_limit: int) -> CodeVersion | None:
    """The state of the git repository that holds `folder`; None where there is no repository or no git.

    Parameters
    ----------
    patches
        Where the uncommitted changes are kept: the same ones once, however many runs have them.
    patch_limit
        The most of them that is kept, in bytes.
    """
    top = repository(folder)
    tree = work_tree(top) if top else None
    if top is None or tree is None:
        return None
    changed = tree.commit is not None and tree.changed
    patch = git(top, "diff", "--no-ext-diff", "--no-color", "HEAD") or "" if changed else ""
    untracked = _sources(top, tree.untracked)
    kept = _keep(_redacted(patch, patch_limit), patches) if patch else None
    return CodeVersion(
        root=str(top),
        commit=tree.commit,
        branch=tree.branch,
        dirty=bool(patch or untracked),
        patch_digest=kept.stem if kept else None,
        patch_path=str(kept) if kept else None,
        patch_truncated=len(patch.encode()) > patch_limit,
        untracked=untracked,
    )


def _keep(patch: str, patches: Blobs) -> Path | None:
    try:
        return patches.keep(patch.encode(), ".patch")
    except OSError:
        return None


def _redacted(patch: str, limit: int) -> str:
    """The beginning of a patch without secrets, whole lines only, so that no secret is cut before it is known as one.

    A change of gigabytes costs no more than what is kept of it.
    """
    if len(patch) > limit:
        patch = patch[: patch.rfind("\n", 0, limit) + 1]
    return _capped("".join(map(_file_redacted, FILE_OF_A_PATCH.split(patch))), limit)


def _file_redacted(part: str) -> str:
    """One file's part; in a configuration file also values without quotes."""
    text = redact(part)
    name = part.partition("\n")[0].rstrip()
    return CONFIGURATION_LINE.sub(_without_bare, text) if name.endswith(CONFIGURATION) else text


def _without_bare(line: re.Match[str]) -> str:
    return line["begin"] + REDACTED if is_secret(line["name"]) else line[0]


def _capped(patch: str, limit: int) -> str:
    return patch.encode()[:limit].decode(errors="ignore")


def _sources(top: Path, untracked: list[str]) -> dict[str, str]:
    sources = [name for name in untracked if name.endswith(SOURCE_SUFFIXES)]
    return {name: _sha256(top / name) for name in sorted(sources)[:MOST_UNTRACKED]}


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        return f"unreadable: {type(error).__name__}"
