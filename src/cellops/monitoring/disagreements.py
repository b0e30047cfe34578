"""Answers to which reviewers gave different labels."""

from collections.abc import Collection
from typing import TYPE_CHECKING

from cellops.monitoring.log_values import plain_value
from cellops.records.review import Disagreement

if TYPE_CHECKING:
    import pandas as pd


def disagreements(labels: "pd.DataFrame", names: Collection[str]) -> tuple[Disagreement, ...]:
    """Where the last labels of reviewers differ; a reviewer who corrects a label of their own agrees with themselves.

    Parameters
    ----------
    labels
        As `label_log.read` gives them.
    names
        Prediction ids to look at.
    """
    given = labels[labels["reviewer"].notna() & labels["prediction_id"].isin(list(names))]
    last = given.drop_duplicates(["prediction_id", "reviewer"], keep="last")
    several = last[last["prediction_id"].duplicated(keep=False)]
    found = []
    for name, rows in several.groupby("prediction_id", sort=False):
        said = {str(who): plain_value(label) for who, label in zip(rows["reviewer"], rows["label"], strict=True)}
        if len(set(said.values())) > 1:
            found.append(Disagreement(prediction_id=str(name), labels=said))
    return tuple(found)
