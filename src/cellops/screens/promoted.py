"""A model that has become the champion."""

from typing import TYPE_CHECKING

from cellops.screens.console import plain, say

if TYPE_CHECKING:
    from cellops.records.promoted import Promoted


def promoted(made: "Promoted") -> None:
    now, before = made.champion, made.before
    is_new = before is None or before.version != now.version
    word = "is now" if is_new else "is already"
    instead = f", in place of version {plain(before.version)}" if before is not None and is_new else ""
    say(f"[bold]{plain(now.model)} {plain(now.version)}[/] {word} the champion{instead}")
    metrics = "  ".join(f"{name} {value:.6g}" for name, value in sorted(made.run.metrics.items()))
    say(f"  run {made.run.name} {made.run.run[:8]}  {metrics}".rstrip(), markup=False)
