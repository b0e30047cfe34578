"""What a table or some rows of it held, so that they are known again, and what is different where they are not."""

import base64
from typing import TYPE_CHECKING, Any

from cellops.capture.content.tokens import UnhashableError
from cellops.records.split import RowSketch, TableContent

if TYPE_CHECKING:
    from cellops.capture.content.rows import Hashes


def hashes_or_reason(table: Any) -> "tuple[Hashes | None, str | None]":
    """The hash of each row of a table, or why there are none."""
    from cellops.capture.content.rows import row_hashes

    try:
        return row_hashes([table]), None
    except UnhashableError as error:
        return None, str(error)


def part_of(hashes: "Hashes", columns: tuple[str, ...]) -> TableContent:
    """What a part of a table holds whose rows have these hashes: enough to know it again."""
    import xxhash

    digest = f"xxh3-128:{xxhash.xxh3_128_hexdigest(hashes.astype('<u8', copy=False).data)}"
    return TableContent(rows=len(hashes), columns=columns, digest=digest)


def content_of(hashes: "Hashes", columns: tuple[str, ...]) -> TableContent:
    """What rows of these hashes hold, under the names of their columns: enough to say what is different elsewhere."""
    import numpy as np
    import xxhash

    from cellops.capture.content.rows import KEPT

    ordered = np.sort(hashes)
    distinct = ordered[np.append(True, ordered[1:] != ordered[:-1])[: len(ordered)]]
    kept = base64.b64encode(distinct[:KEPT].astype("<u8").tobytes()).decode()
    return part_of(hashes, columns).replace(
        unordered=f"xxh3-128:{xxhash.xxh3_128_hexdigest(ordered.astype('<u8', copy=False).data)}",
        sketch=RowSketch(rows=len(hashes), distinct=len(distinct), hashes=kept),
    )


def differences(before: TableContent, after: TableContent) -> list[str]:
    """What is different between two contents, in words; nothing where they are the same.

    How many rows came and went is counted where both sketches hold all rows, and else said as an estimate.
    """
    columns = _columns(before, after)
    if before.digest is None or after.digest is None or set(before.columns) != set(after.columns):
        return [*columns, *([] if before.rows == after.rows else [f"{after.rows} rows instead of {before.rows}"])]
    if before.digest == after.digest:
        return columns
    if before.unordered == after.unordered:
        return [*columns, "the same rows stand in another order"]
    return [*columns, *_rows(before, after)]


def _columns(before: TableContent, after: TableContent) -> list[str]:
    gone = [name for name in before.columns if name not in after.columns]
    new = [name for name in after.columns if name not in before.columns]
    said = [("lacks", gone), ("has in addition", new)]
    found = [f"it {verb} the column{'s' * (len(names) > 1)} {', '.join(names)}" for verb, names in said if names]
    return found or (["its columns stand in another order"] if before.columns != after.columns else [])


def _rows(before: TableContent, after: TableContent) -> list[str]:
    import numpy as np

    then, now = (np.frombuffer(base64.b64decode(c.sketch.hashes), "<u8") for c in (before, after) if c.sketch)
    whole = all(c.sketch is not None and c.sketch.distinct == len(s) for c, s in ((before, then), (after, now)))
    # Below the smaller of the two largest hashes, both sketches hold all rows.
    last = max(then.max(initial=0), now.max(initial=0)) if whole else min(then.max(initial=0), now.max(initial=0))
    then, now = then[then <= last], now[now <= last]
    gone, new = (len(np.setdiff1d(one, other)) for one, other in ((then, now), (now, then)))
    if whole:
        counted = [(gone, "distinct row{} gone"), (new, "distinct row{} new")]
        words = [f"{n} {text.format('s' * (n != 1))}" for n, text in counted if n] or ["rows repeat otherwise"]
        return [f"{after.rows} rows instead of {before.rows}: {', '.join(words)}"]
    shares = [f"about {gone / max(1, len(then)):.1%} of the rows are gone", f"{new / max(1, len(now)):.1%} are new"]
    return [f"{after.rows} rows instead of {before.rows}: {', '.join(shares)}"]
