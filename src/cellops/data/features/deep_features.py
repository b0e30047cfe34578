"""Deep feature synthesis: features of a table from the tables that belong to it, made by featuretools."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any

from cellops.errors import InputError, UsageError

if TYPE_CHECKING:
    import pandas as pd

Tables = Mapping[str, "pd.DataFrame"]


@dataclass(frozen=True, kw_only=True)
class DeepFeatures:
    """Features that were found among several tables, to be computed again of other rows of the same tables.

    They are described by text alone, which a run can keep and another process can compute from.
    """

    target: str
    """The table whose rows they describe."""
    keys: Mapping[str, str]
    """The column of each table that names its rows."""
    links: Sequence[tuple[str, str]]
    """Columns that name rows of another table, each with that one's key: `("orders.customer", "customers.id")`."""
    times: Mapping[str, str] = field(default_factory=dict)
    """The column of a table that tells when its rows became known."""
    definitions: str
    """The features as featuretools writes them, JSON."""

    def compute(self, tables: Tables, at: "pd.DataFrame | None" = None) -> "pd.DataFrame":
        """These features of other tables.

        Parameters
        ----------
        tables, at
            As `deep_features` takes them.

        Returns
        -------
        DataFrame
            A row for each of `at`, in its order, or of the target; indexed by the key of the target.

        Raises
        ------
        InputError
            When a table or one of its columns is not there.
        UsageError
            When featuretools is not installed.
        """
        tools = _featuretools()
        asked = None if at is None else _asked(at, self.keys[self.target])
        found: pd.DataFrame = tools.calculate_feature_matrix(
            tools.load_features(self.definitions),
            entityset=_entities(tools, tables, self.keys, self.links, self.times),
            cutoff_time=asked,
            cutoff_time_in_index=asked is not None,
        )
        return found if at is None else _beside(found, at, self.keys[self.target])


def deep_features(
    tables: Tables,
    *,
    target: str,
    keys: Mapping[str, str],
    links: Sequence[tuple[str, str]],
    times: Mapping[str, str] | None = None,
    at: "pd.DataFrame | None" = None,
    aggregations: Sequence[str] | None = None,
    transformations: Sequence[str] | None = None,
    depth: int = 2,
    most: int = -1,
) -> "tuple[pd.DataFrame, DeepFeatures]":
    """Find features of a table among the tables that belong to it, as of the times that are asked for.

    The method is that of Kanter and Veeramachaneni, Deep feature synthesis, DSAA (2015), in featuretools.

    Parameters
    ----------
    tables
        DataFrames of pandas by name.
    target
        The table whose rows are described.
    keys
        The column of each table that names its rows.
    links
        Columns that name rows of another table, each with that one's key: `("orders.customer", "customers.id")`.
    times
        The column of a table that tells when its rows became known; those that became known later than a row of `at`
        asks for count for nothing there.
    at
        Which rows of the target to describe, and as of when: its key and a column `time`; other columns come along. By
        default all rows, by all that the tables hold.
    aggregations, transformations
        Names of featuretools' primitives, such as `sum` and `month`; by default its own choice.
    depth
        How many steps a feature may be made of.
    most
        How many features at most; -1 for all.

    Returns
    -------
    DataFrame, DeepFeatures
        A row for each of `at`, in its order, or of the target, indexed by the key of the target; and what computes the
        same features again.

    Raises
    ------
    InputError
        When a table or one of its columns is not there.
    UsageError
        When featuretools is not installed.
    """
    tools = _featuretools()
    if target not in keys:
        fact = f"There is no table {target} among the keys"
        raise InputError(fact, received=target, remedy=f"Its tables are: {', '.join(keys)}")
    told = dict(times or {})
    found, features = tools.dfs(
        entityset=_entities(tools, tables, keys, links, told),
        target_dataframe_name=target,
        cutoff_time=None if at is None else _asked(at, keys[target]),
        cutoff_time_in_index=at is not None,
        agg_primitives=aggregations,
        trans_primitives=transformations,
        max_depth=depth,
        max_features=most,
    )
    made = DeepFeatures(target=target, keys=keys, links=links, times=told, definitions=tools.save_features(features))
    return (found if at is None else _beside(found, at, keys[target])), made


def _featuretools() -> Any:
    try:
        return import_module("featuretools")
    except ImportError as error:
        fact = f"featuretools cannot be imported: {error}"
        raise UsageError(fact, remedy="Run: pip install 'cellops[featuretools]'") from error


def _entities(
    tools: Any, tables: Tables, keys: Mapping[str, str], links: Sequence[tuple[str, str]], times: Mapping[str, str]
) -> Any:
    entities = tools.EntitySet("tables")
    for name, key in keys.items():
        if name not in tables:
            fact = f"There is no table {name}"
            raise InputError(fact, received=name, remedy=f"The tables are: {', '.join(tables)}")
        _require(tables[name], name, [key, *([times[name]] if name in times else [])])
        entities.add_dataframe(
            dataframe_name=name, dataframe=tables[name].copy(), index=key, time_index=times.get(name)
        )
    for child, parent in links:
        (of_child, column), (of_parent, key) = _place(child, tables), _place(parent, tables)
        entities.add_relationship(of_parent, key, of_child, column)
    return entities


def _place(text: str, tables: Tables) -> tuple[str, str]:
    name, _, column = text.partition(".")
    if name not in tables or not column:
        fact = f"{text} names no column of a table"
        raise InputError(fact, received=text, remedy=f"Write TABLE.COLUMN; the tables are: {', '.join(tables)}")
    _require(tables[name], name, [column])
    return name, column


def _require(table: "pd.DataFrame", name: str, columns: Sequence[str]) -> None:
    missing = next((column for column in columns if column not in table.columns), None)
    if missing is not None:
        fact = f"The table {name} has no column {missing}"
        raise InputError(fact, remedy=f"It has: {', '.join(map(str, table.columns))}", column=missing)


def _asked(at: "pd.DataFrame", key: str) -> "pd.DataFrame":
    """Which rows are asked for, and as of when, without what else stands there."""
    _require(at, "at", [key, "time"])
    return at[[key, "time"]].drop_duplicates()


def _beside(found: "pd.DataFrame", at: "pd.DataFrame", key: str) -> "pd.DataFrame":
    """What was found, in the order of the rows that ask for it, with what else stands there."""
    import pandas as pd

    others = [name for name in at.columns if name not in (key, "time")]
    rows = found.reindex(pd.MultiIndex.from_frame(at[[key, "time"]])).droplevel("time")
    return rows.assign(**{name: at[name].to_numpy() for name in others})
