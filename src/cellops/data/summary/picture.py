"""A profile as HTML: a row for each column, with its histogram; in the colours of the page that it stands in."""

from collections.abc import Iterator
from html import escape

from cellops.data.problems import shorten
from cellops.errors import printable
from cellops.records.finding import Severity
from cellops.records.summary import ColumnFigures, Correlations, Profiled, TextFigures, number, share

STYLE = """
.cellops-profile { --ink: #1f2328; --quiet: #59636e; --line: #d8dee4; --paper: #ffffff; --bar: #4c78b0; --gone: #c2410c;
  --trough: #eaeef2; color: var(--jp-ui-font-color1, var(--ink)); background: var(--jp-layout-color0, var(--paper));
  font: 12px system-ui, "Segoe UI", sans-serif; overflow-x: auto; padding: 4px 0; }
@media (prefers-color-scheme: dark) { .cellops-profile { --ink: #e6edf3; --quiet: #9198a1; --line: #3d444d;
  --paper: #0d1117; --bar: #7aa7dd; --gone: #f0883e; --trough: #21262d; } }
.cellops-profile table { border-collapse: collapse; margin: 0; font-size: 12px; }
.cellops-profile caption { text-align: left; font-weight: 600; font-size: 13px; padding: 4px 8px; color: inherit; }
.cellops-profile .quiet { color: var(--jp-ui-font-color2, var(--quiet)); font-weight: 400; }
.cellops-profile.cellops-profile table tr:nth-child(n) { background: transparent; }
.cellops-profile.cellops-profile table :is(th, td) { text-align: left; vertical-align: middle; padding: 3px 8px;
  max-width: 24em; border: none; border-bottom: 1px solid var(--jp-border-color2, var(--line)); color: inherit;
  white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
.cellops-profile.cellops-profile table th { font-weight: 600; }
.cellops-profile.cellops-profile table .figure { text-align: right; font-variant-numeric: tabular-nums; }
.cellops-profile.cellops-profile table .quiet { color: var(--jp-ui-font-color2, var(--quiet)); font-weight: 400; }
.cellops-profile svg { display: block; }
.cellops-profile .bar { fill: var(--jp-brand-color1, var(--bar)); }
.cellops-profile .trough { fill: var(--jp-layout-color2, var(--trough)); }
.cellops-profile .gone { fill: var(--jp-warn-color1, var(--gone)); }
.cellops-profile ul { margin: 6px 8px; padding-left: 16px; }
"""
"""The class stands there twice where JupyterLab's own rules for tables would outweigh it."""
MOST = 300
"""Columns that have a row: a page with more is slow."""
MOST_FINDINGS = 20
MOST_PAIRS = 10
NAME, WORD = 40, 24
"""Characters of a column's name and of a category."""
WIDE, HIGH = 144, 28
"""Pixels of a histogram."""
SHARE = 48
"""Pixels of the bar of missing values."""
HEADS = ("column", "kind", "missing", "distinct", "smallest", "median", "largest", "distribution")


def picture(profiled: Profiled) -> str:
    """Draw a profile.

    Parameters
    ----------
    profiled
        Its names and values may be anybody's: they are escaped.

    Returns
    -------
    str
        A fragment of HTML that needs nothing else.
    """
    rows = "".join(map(_row, profiled.columns[:MOST]))
    rest = len(profiled.columns) - MOST
    more = f'<p class="quiet">and {rest:,} more columns</p>' if rest > 0 else ""
    heads = "".join(f'<th{_class(name)} scope="col">{name}</th>' for name in HEADS)
    shape = f"{profiled.rows:,} rows x {len(profiled.columns):,} columns"
    return (
        f'<div class="cellops-profile"><style>{STYLE}</style><table>'
        f'<caption>{_text(profiled.name)} <span class="quiet">{shape}</span></caption>'
        f"<thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>{more}"
        f"{_pairs(profiled.correlations)}{_findings(profiled)}</div>"
    )


def _class(name: str) -> str:
    return ' class="figure"' if name in ("distinct", "smallest", "median", "largest") else ""


def _row(column: ColumnFigures) -> str:
    hover = f"{column.name}: {', '.join(column.types)}{_moments(column)}"
    cells = [
        f'<th scope="row" title="{_text(hover)}">{_text(shorten(column.name, NAME))}</th>',
        f'<td class="quiet">{column.kind.value}</td>',
        f"<td>{_missing(column)}</td>",
        f'<td class="figure">{column.told_distinct()}</td>',
        *(f'<td class="figure">{_text(value)}</td>' for value in column.told_extremes()),
        f"<td>{_distribution(column)}</td>",
    ]
    return f"<tr>{''.join(cells)}</tr>"


def _moments(column: ColumnFigures) -> str:
    given = column.numbers
    if given is None or given.mean is None or column.first is not None:
        return ""
    names = ("mean", "deviation", "skewness", "kurtosis")
    told = [(name, getattr(given, name)) for name in names]
    return "".join(f"; {name} {value:.4g}" for name, value in told if value is not None)


def _missing(column: ColumnFigures) -> str:
    wide = SHARE * column.missing / column.rows if column.rows else 0.0
    told = share(column.missing, column.rows)
    return (
        f'<svg width="{SHARE + 56}" height="14" role="img"><title>{column.missing:,} of {column.rows:,} missing</title>'
        f'<rect class="trough" y="3" width="{SHARE}" height="8" rx="2"/>'
        f'<rect class="gone" y="3" width="{wide:.1f}" height="8" rx="2"/>'
        f'<text x="{SHARE + 6}" y="11" fill="currentColor" font-size="11">{escape(told)}</text></svg>'
    )


def _distribution(column: ColumnFigures) -> str:
    if column.texts is not None:
        return _top(column.texts, column.present)
    if column.numbers is None or not column.numbers.histogram:
        return ""
    bars, bounds = column.numbers.histogram, column.numbers.bounds
    highest, step = max(bars), WIDE / len(bars)
    path = "".join(
        f"M{place * step:.1f} {HIGH}v{-max(HIGH * rows / highest, 0.7):.1f}h{step * 0.88:.1f}V{HIGH}z"
        for place, rows in enumerate(bars)
        if rows
    )
    told = (
        f"{column.first} to {column.last}"
        if column.first is not None
        else f"from {number(bounds[0])} to {number(bounds[1])}"
    )
    return (
        f'<svg width="{WIDE}" height="{HIGH}" role="img"><title>{_text(told)}</title>'
        f'<rect class="trough" y="{HIGH - 1}" width="{WIDE}" height="1"/><path class="bar" d="{path}"/></svg>'
    )


def _top(texts: TextFigures, present: int) -> str:
    """The most frequent categories as stretches of one bar, and their names."""
    shown = texts.telling()
    if not shown:
        return f'<span class="quiet">{texts.told_lengths()}</span>'
    left, parts = 0.0, []
    for place, (name, rows) in enumerate(shown):
        wide = WIDE * rows / present
        parts.append(
            f'<rect class="bar" x="{left:.1f}" width="{max(wide - 1, 0.5):.1f}" height="8" rx="1" '
            f'fill-opacity="{1 - 0.28 * place:.2f}"><title>{_text(shorten(name, NAME))}: {rows:,}</title></rect>'
        )
        left += wide
    names = ", ".join(
        f"{_text(shorten(name, WORD)) or '(empty)'} {escape(share(rows, present))}" for name, rows in shown
    )
    return (
        f'<svg width="{WIDE}" height="8" role="img"><rect class="trough" width="{WIDE}" height="8" rx="1"/>'
        f'{"".join(parts)}</svg><span class="quiet">{names}</span>'
    )


def _pairs(found: Correlations | None) -> str:
    if found is None:
        return ""
    pairs = found.strongest(MOST_PAIRS)
    if not pairs:
        return '<p class="quiet">No two columns of numbers vary together.</p>'
    lines = "".join(
        f"<tr><td>{_text(shorten(one, NAME))}</td><td>{_text(shorten(other, NAME))}</td>"
        f'<td class="figure">{value:+.3f}</td></tr>'
        for one, other, value in pairs
    )
    return f"<table><caption>Strongest correlations</caption><tbody>{lines}</tbody></table>"


def _findings(profiled: Profiled) -> str:
    lines = list(_lines(profiled))
    rest = [f"<li>and {len(lines) - MOST_FINDINGS:,} more</li>"] if len(lines) > MOST_FINDINGS else []
    return f"<ul>{''.join([*lines[:MOST_FINDINGS], *rest])}</ul>" if lines else ""


def _lines(profiled: Profiled) -> Iterator[str]:
    order = list(Severity)
    for finding in sorted(profiled.findings, key=lambda one: -order.index(one.severity)):
        yield (
            f"<li>{_text(finding.where)}: {_text(finding.seen)}. "
            f'<span class="quiet">{_text(finding.remedy)}.</span></li>'
        )


def _text(text: str) -> str:
    return escape(printable(text))
