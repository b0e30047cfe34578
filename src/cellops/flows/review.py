"""Answers that the model was unsure of, one by one before a person who labels them."""

from contextlib import ExitStack
from pathlib import Path

from cellops.flows.review_log import opened
from cellops.flows.review_session import Review
from cellops.records.review import ReviewQueue
from cellops.settings import Settings

SAMPLE = 0.05
"""Share of the queue that is drawn by chance, unless another is asked for."""


def review(
    what: Path | str,
    *,
    log: Path | str | None = None,
    below: float | None = None,
    sample: float = SAMPLE,
    server: str | None = None,
    reviewer: str | None = None,
    settings: Settings | None = None,
) -> Review:
    """Begin to label what a model was unsure of; `with review(…) as …`, or `finish()`, ends it.

    Parameters
    ----------
    what
        A package, or a registered model, whose champion is meant.
    log
        The folder or address of its prediction log. Default: `.cellops/log/NAME`.
    below
        Answers with less confidence wait. Default: the setting `review_below`.
    sample
        Share of the queue that is drawn by chance among all other answers.
    server
        Address of a server that takes the labels, with the setting `server_token`. Default: they are written into the
        folder of the log.
    reviewer
        Who looks. Default: the name that git knows.

    Raises
    ------
    NotFoundError, SignatureError, IntegrityError
        When there is no such package or log, or the package is not what was packaged.
    UsageError
        When a share is none, or a log at an address comes without a server.
    CredentialsError
        When the server takes no labels from this token.
    InputError
        When the log holds nothing of the package or cannot be read, or the server does not answer.
    """
    with ExitStack() as begun:
        held = begun.enter_context(opened(what, log, reviewer, settings))
        found = held.waiting(held.predictions(), below, sample)
        ending = ExitStack()
        made = Review(held, found, held.sink(server), ending.close)
        ending.callback(begun.pop_all().close)
        return made


def queue(
    what: Path | str,
    *,
    log: Path | str | None = None,
    below: float | None = None,
    sample: float = SAMPLE,
    reviewer: str | None = None,
    limit: int = 20,
    settings: Settings | None = None,
) -> ReviewQueue:
    """What waits, what reviewers are looking at and what they have done; parameters and errors are those of `review`.

    Parameters
    ----------
    limit
        Rows that are given of those that wait.
    """
    with opened(what, log, reviewer, settings) as held:
        predictions = held.predictions()
        found = held.waiting(predictions, below, sample)
        others = held.claims.others()
        done = predictions[predictions["truth"].notna()]
        return ReviewQueue(
            model=held.name,
            target=held.contract.schema.target,
            below=held.settings.review_below if below is None else below,
            waiting=len(found),
            held=sum(name in others for name in found["prediction_id"]),
            labelled=len(done),
            reviewed={str(who): int(count) for who, count in done["reviewer"].value_counts().items()},
            rows=held.rows(found[:limit], others),
            disagreements=held.disagreements(list(predictions["prediction_id"])),
            notes=held.notes(),
        )
