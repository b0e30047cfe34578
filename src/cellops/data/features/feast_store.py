"""Features in Feast: views of a notebook's tables, history for training, an online store for serving."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import numpy as np

from cellops.errors import InputError, UsageError
from cellops.settings import load

if TYPE_CHECKING:
    import pandas as pd

    from cellops.data.features.feature_set import FeatureSet

TIME = "event_timestamp"
"""How Feast calls the time of the rows that it is asked for."""
ROW = "cellops_row"
STANDARD_PORT = 6379


class FeastStore:
    """A store of Feast in a folder, with sqlite or Redis for what is served.

    Parameters
    ----------
    folder
        Where the registry, the tables and the sqlite database lie.
    project
        The name that Feast keeps them under.
    redis
        The address of a Redis server for online features, `redis://localhost:6379`, with `rediss` over TLS; by default
        the setting `CELLOPS_ONLINE_STORE`, and without it they are in sqlite.

    Raises
    ------
    UsageError
        When Feast is not installed, or the address is none of Redis.
    SettingsError
        When a setting cannot be read.
    """

    def __init__(self, folder: Path | str, *, project: str = "cellops", redis: str | None = None) -> None:
        try:
            from feast import FeatureStore, RepoConfig
        except ImportError as error:
            fact = "Feast is not installed"
            raise UsageError(fact, remedy="Run: pip install 'cellops[feast]'") from error
        redis = redis or load().online_store
        self.folder = Path(folder).resolve()
        self.folder.mkdir(parents=True, exist_ok=True)
        local = {"type": "sqlite", "path": str(self.folder / "online.db")}
        config = RepoConfig(
            project=project,
            provider="local",
            registry=str(self.folder / "registry.db"),
            offline_store={"type": "file"},
            online_store=local if redis is None else {"type": "redis", "connection_string": connection(redis)},
            entity_key_serialization_version=3,
        )
        self._store = FeatureStore(config=config)

    def define(
        self,
        name: str,
        events: "pd.DataFrame",
        *,
        key: str,
        time: str,
        features: "FeatureSet | None" = None,
        lifetime: Any = None,
    ) -> tuple[str, ...]:
        """Make a view of a table of events, with the features of the notebook, and write it down in Feast's registry.

        Parameters
        ----------
        key, time
            Its columns that say whose event it is, and when it happened; times without a zone are taken to be UTC.
        features
            Features to compute of the events first.
        lifetime
            How old an event may be, as `7d`; by default any.

        Returns
        -------
        tuple of str
            The features as Feast calls them: `NAME:COLUMN`.

        Raises
        ------
        InputError
            When a column is not there.
        """
        import pandas as pd
        from feast import Entity, FeatureView, FileSource, ValueType

        _require(events, (key, time))
        table = events if features is None else features(events)
        path = self.folder / f"{name}.parquet"
        table.assign(**{time: _in_utc(table[time])}).to_parquet(path, index=False)
        kind = ValueType.INT64 if table[key].dtype.kind in "iu" else ValueType.STRING
        entity = Entity(name=key, join_keys=[key], value_type=kind)
        view = FeatureView(
            name=name,
            entities=[entity],
            ttl=None if lifetime is None else pd.Timedelta(lifetime).to_pytimedelta(),
            source=FileSource(path=str(path), timestamp_field=time),
        )
        self._store.apply([entity, view])
        return tuple(f"{name}:{column}" for column in table.columns if column not in (key, time))

    def historical(self, labels: "pd.DataFrame", features: Sequence[str], *, time: str) -> "pd.DataFrame":
        """The labels with what was known of each at its time, in their order; missing where nothing was.

        Parameters
        ----------
        features
            As `define` gives them.

        Raises
        ------
        InputError
            When the labels have no such time.
        """
        _require(labels, (time,))
        asked = labels.drop(columns=time)
        asked[TIME], asked[ROW] = _in_utc(labels[time]), np.arange(len(labels))
        found = self._store.get_historical_features(entity_df=asked, features=list(features)).to_df()
        # Feast leaves out rows of which it knows nothing, and keeps no order.
        columns = [one.partition(":")[2] for one in features]
        known = found.drop_duplicates(ROW).set_index(ROW)[columns].reindex(range(len(labels)))
        return labels.assign(**{name: known[name].set_axis(labels.index) for name in columns})

    def publish(self, until: Any = None) -> None:
        """Bring the newest event of each key, up to a time, into the online store."""
        import pandas as pd

        first = pd.Timestamp(0, tz="UTC").to_pydatetime()
        last = pd.Timestamp.now("UTC") if until is None else pd.Timestamp(until)
        last = last.tz_localize("UTC") if last.tzinfo is None else last
        self._store.materialize(first, last.to_pydatetime())

    def online(self, features: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> "pd.DataFrame":
        """The newest published features of some keys, `[{"plane": "N1"}]`; missing for a key that is not known."""
        import pandas as pd

        asked = [dict(row) for row in rows]
        found = self._store.get_online_features(features=list(features), entity_rows=asked).to_dict()
        return pd.DataFrame(found)[[*asked[0], *(one.partition(":")[2] for one in features)]]


def connection(address: str) -> str:
    """An address of Redis as Feast writes it.

    Raises
    ------
    UsageError
        When it is none.

    Examples
    --------
    >>> connection("rediss://:secret@features.example:6380/2")
    'features.example:6380,password=secret,db=2,ssl=true'
    """
    try:
        parts = urlsplit(address if "://" in address else f"redis://{address}")
        port = parts.port or STANDARD_PORT
    except ValueError:
        parts, port = urlsplit(""), 0
    if parts.scheme not in ("redis", "rediss") or not parts.hostname:
        fact = "This is no address of a Redis server"  # it may hold a password, and is not shown
        raise UsageError(fact, remedy="Write redis://HOST:PORT, and rediss:// where it speaks TLS")
    said = {"username": parts.username, "password": parts.password, "db": parts.path.strip("/")}
    options = [f"{name}={unquote(value)}" for name, value in said.items() if value]
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return ",".join([f"{host}:{port}", *options, *(["ssl=true"] if parts.scheme == "rediss" else [])])


def _require(table: "pd.DataFrame", names: Sequence[str]) -> None:
    missing = next((name for name in names if name not in table.columns), None)
    if missing is not None:
        fact = f"The table has no column {missing}"
        raise InputError(fact, remedy=f"It has: {', '.join(map(str, table.columns))}", column=missing)


def _in_utc(times: "pd.Series[Any]") -> "pd.Series[Any]":
    import pandas as pd

    return pd.to_datetime(times, utc=True)
