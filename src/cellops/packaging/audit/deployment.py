"""What builds or starts something outside of cellops: the files by which a package runs in a container.

They follow from the rest of the package, so they are written anew here and compared; nothing that they say is judged.
"""

from collections.abc import Iterator, Mapping

import msgspec

from cellops.errors import PackageError
from cellops.packaging.container.files import container_files, is_container_file
from cellops.packaging.container.image import image_of
from cellops.packaging.environment.pins import require_python
from cellops.packaging.layout import ENVIRONMENT, PROVENANCE, SERVING
from cellops.records.audit import DeploymentFile
from cellops.records.package import Manifest, Provenance
from cellops.records.run import Environment


def deployment_files(manifest: Manifest | None, content: Mapping[str, bytes]) -> Iterator[DeploymentFile]:
    """Each such file that is what the manifest says."""
    own = _own(manifest, content) if manifest is not None else {}
    for path in sorted(filter(is_container_file, content)):
        yield DeploymentFile(path=path, own=own.get(path) == content[path])


def _own(manifest: Manifest, content: Mapping[str, bytes]) -> dict[str, bytes]:
    """What cellops writes for this package; nothing where the rest of it cannot be read."""
    rest = [file for file in manifest.files if not is_container_file(file.path)]
    try:
        environment = Environment.from_json(content[ENVIRONMENT])
        provenance = Provenance.from_json(content[PROVENANCE])
        require_python(environment)
        size, serving = sum(file.size for file in rest), content[SERVING].decode()
        image = image_of(size, serving, manifest.name, environment, provenance)
        return container_files(image, (file.path.partition("/")[0] for file in rest))
    except (KeyError, ValueError, msgspec.DecodeError, RecursionError, PackageError):
        return {}
