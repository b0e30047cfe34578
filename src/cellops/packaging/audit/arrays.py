"""The arrays inside of a skops file: numbers alone, and as many as they say."""

import math
import zipfile
from collections.abc import Iterator
from io import BytesIO

from cellops.errors import PackageError
from cellops.packaging.formats.skops import ARCHIVE, Skops

ARRAY = b"\x93NUMPY"


def require_plain_arrays(model: bytes) -> None:
    """Refuse arrays that loading would refuse: those that hold a pickle, or claim another size.

    Raises
    ------
    PackageError
        Naming the first of them.
    """
    try:
        problem = next(_problems(model), None)
    except (OSError, ValueError, zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError) as error:
        problem = f"an array in it cannot be read: {error}"
    if problem is not None:
        fact = f"{Skops.file} cannot be loaded: {problem}"
        raise PackageError(fact, remedy="Do not use this model; the file was not written by skops", path=Skops.file)


def _problems(archive: bytes) -> Iterator[str]:
    with zipfile.ZipFile(BytesIO(archive)) as file:
        for name in file.namelist():
            content = file.read(name)
            if content.startswith(ARRAY):
                yield from _array_problems(name, content)
            elif content.startswith(ARCHIVE):
                yield from _problems(content)


def _array_problems(name: str, content: bytes) -> Iterator[str]:
    from numpy.lib import format as layout

    file = BytesIO(content)
    read = {(1, 0): layout.read_array_header_1_0, (2, 0): layout.read_array_header_2_0}
    version = layout.read_magic(file)
    if version not in read:
        yield f"{name} is an array of a version that is not read"
        return
    shape, _, dtype = read[version](file)
    if dtype.hasobject:
        yield f"{name} is an array that holds a pickle"
    elif math.prod(shape) * dtype.itemsize != len(content) - file.tell():
        yield f"{name} is an array of another size than it says"
