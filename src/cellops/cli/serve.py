"""A package behind the server."""

from pathlib import Path
from typing import Any

import click


@click.command()
@click.argument("packages", metavar="PACKAGE...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8000,
    show_default=True,
    help="Port to listen on; 0 takes a free one.",
)
@click.option(
    "--token", help="What clients must send. Default: CELLOPS_SERVER_TOKEN, else a new one is made and shown."
)
@click.option(
    "--log",
    metavar="PLACE",
    help="Folder of the prediction log, or address as fsspec takes it; of several models PLACE/NAME. "
    "Default: CELLOPS_LOG_STORE/NAME, else .cellops/log/NAME.",
)
@click.option(
    "--log-format",
    type=click.Choice(["text", "json"]),
    help="json: a line for each request and message on standard error. Default: CELLOPS_SERVER_LOG_FORMAT, text.",
)
@click.option(
    "--models",
    type=click.Path(path_type=Path),
    help="Folder of more packages, called as their models, that the admin port may load.",
)
@click.option(
    "--admin-port",
    type=click.IntRange(0, 65535),
    help="Port to load and unload models on, and to read metrics. Default: there is none.",
)
@click.option("--admin-host", default="127.0.0.1", show_default=True, help="Address of the admin port.")
@click.option(
    "--workers",
    type=click.IntRange(1, 64),
    default=1,
    show_default=True,
    help="Processes that answer on the port, each with all packages; as many as there are processors at most.",
)
@click.option(
    "--tls-certificate",
    type=click.Path(path_type=Path),
    help="Speak TLS with this certificate: a PEM file, with those of its issuers.",
)
@click.option("--tls-key", type=click.Path(path_type=Path), help="Its private key, where that is not in the same file.")
@click.option(
    "--expectations",
    type=click.Path(path_type=Path),
    help="File of expectations that hold here: in place of the package's, or beside them.",
)
@click.option("--rules", metavar="MODULE:FUNCTION", help="Function of yours that adjusts answers or refuses rows.")
@click.option(
    "--fallback",
    type=click.Path(path_type=Path),
    help="Package that answers rows which lack an input, or on which the model fails.",
)
@click.option(
    "--review-below",
    type=click.FloatRange(0, 1),
    metavar="SHARE",
    help="Count answers with less confidence for cellops review. Default: CELLOPS_REVIEW_BELOW, 0.6.",
)
@click.option(
    "--challenger", type=click.Path(path_type=Path), help="Package of the same model that is compared with it."
)
@click.option(
    "--strategy",
    type=click.Choice(["canary", "shadow", "ab", "blue-green"]),
    help="How traffic is divided with the challenger.",
)
@click.option(
    "--stages",
    metavar="PERCENT,...",
    help="Of a canary: what the challenger takes, one after another, the last 100. Default: 5,25,50,100.",
)
@click.option(
    "--share",
    type=click.FloatRange(0, 100),
    help="Percent of the users of an A/B, default 50, or of the requests that a shadow sees, default 100.",
)
@click.option(
    "--key",
    metavar="COLUMN|HEADER",
    help="The input or header that says of which user a request is. Default: the header X-User-Key.",
)
@click.option(
    "--shadow-when",
    type=click.Choice(["always", "idle"]),
    help="idle: ask a shadow only while the server has little to do. Default: always.",
)
@click.option(
    "--margin",
    "margins",
    metavar="RULE=VALUE",
    multiple=True,
    help="A rule of the rollout, such as error_margin=0.01 or least_seconds=3600; may be repeated.",
)
def serve(packages: tuple[Path, ...], **options: Any) -> None:
    """Serve each PACKAGE over HTTP: KServe V1, Open Inference V2 and MLflow's protocol, until Ctrl-C.

    Digests are checked before anything is read, and the packages' parity rows are replayed before the server is ready.

    Packages of several names are models beside each other. Those of one name are versions of a model; the last of them
    answers whoever names no version. MLflow's /invocations goes to the first model.

    On SIGHUP all packages are read again. One that has changed takes the place of the old one once it has answered its
    parity rows, and no request is lost; one that cannot be loaded changes nothing.

    \b
      cellops serve model --port 8080
      cellops serve delays fares-2013 fares-2014
      cellops serve model --fallback simple-model --rules house_rules:adjust
      cellops serve delays --models packages --admin-port 8001
      cellops serve model --workers 4 --admin-port 8001
      cellops serve model --review-below 0.7
      cellops serve model --challenger candidate --strategy canary --stages 5,25,50,100
      cellops serve model --challenger candidate --strategy ab --key customer
      cellops serve model --challenger candidate --strategy shadow --share 20 --shadow-when idle
      cellops serve model --host 0.0.0.0 --tls-certificate server.pem --tls-key server.key
    """
    from cellops import screens
    from cellops.flows.serve import serve as work

    screens.served(work(*packages, **options, on_ready=screens.serving, on_change=screens.changed))
