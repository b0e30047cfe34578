"""Keys, and the signature of a package."""

from pathlib import Path

import click


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
def key(file: Path) -> None:
    """Make a pair of keys: FILE signs packages and stays secret, FILE.pub is for those who trust it.

    \b
      cellops key ~/.config/cellops/release
      export CELLOPS_TRUSTED_KEYS=~/.config/cellops/release.pub
    """
    from cellops import screens
    from cellops.flows.key import key as work

    screens.keys(work(file))


@click.command()
@click.argument("package", type=click.Path(path_type=Path))
@click.option("--key", "key_file", type=click.Path(path_type=Path), required=True, help="The private key.")
def sign(package: Path, key_file: Path) -> None:
    """Sign PACKAGE, a folder or an archive, with a key of `cellops key`.

    Its digests are checked first. Where the setting CELLOPS_TRUSTED_KEYS names public keys, every verb refuses packages
    that none of them has signed.

    \b
      cellops sign model --key ~/.config/cellops/release
    """
    from cellops import screens
    from cellops.flows.sign import sign as work

    screens.signed(work(package, key_file))
