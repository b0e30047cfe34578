"""A proof as a picture in the notebook: plain HTML that stays in the saved notebook and needs no kernel."""

from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, Any

from cellops.records.proof import CellProof, Comparison, Proof, Verdict, share

if TYPE_CHECKING:
    from jinja2 import Template

MARKS = {
    Verdict.IDENTICAL: ("✓", "same"),
    Verdict.WITHIN_TOLERANCE: ("≈", "same"),
    Verdict.NOT_COMPARED: ("?", "open"),
    Verdict.DIVERGED: ("✗", "other"),
}
DIFFERENT = (Verdict.DIVERGED, Verdict.WITHIN_TOLERANCE)
MOST_ROWS = 20
TEMPLATE = """
<div class="cellops-proof">
<style>
.cellops-proof { font: 13px/1.5 var(--jp-ui-font-family, system-ui, sans-serif);
  color: var(--jp-ui-font-color1, CanvasText); max-width: 60em; }
.cellops-proof .verdict { font-size: 15px; font-weight: 600; padding: .2em 0; }
.cellops-proof .quiet { color: var(--jp-ui-font-color2, GrayText); font-weight: 400; }
.cellops-proof .same { color: var(--jp-success-color1, #2e7d32); }
.cellops-proof .other { color: var(--jp-error-color1, #c62828); }
.cellops-proof .open { color: var(--jp-warn-color1, #b26a00); }
.cellops-proof details { border-left: 2px solid var(--jp-border-color2, #8884); padding-left: .6em; margin: .1em 0; }
.cellops-proof summary { cursor: pointer; white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
.cellops-proof code, .cellops-proof pre { font-family: var(--jp-code-font-family, monospace); font-size: 12px; }
.cellops-proof pre { margin: .3em 0; padding: .4em .6em; overflow-x: auto;
  background: var(--jp-layout-color2, #8881); color: inherit; }
.cellops-proof table { border-collapse: collapse; margin: .3em 0; width: auto; }
.cellops-proof table th, .cellops-proof table td { text-align: left !important;
  padding: .1em .8em .1em 0; vertical-align: top;
  background: none; overflow-wrap: anywhere; }
.cellops-proof th { font-weight: 600; }
.cellops-proof .apart { white-space: nowrap; }
</style>
<div class="verdict"><span class="{{ look }}">{{ mark }} {{ verdict }}</span>
<span class="quiet">run {{ proof.name }} · {{ proof.cells | length }} cells, {{ compared }} things compared
{%- if left %}, {{ left }} not{% endif %} · {{ "%.1f" | format(proof.seconds_of_replay) }} s</span></div>
{% for cause in proof.causes -%}
<div><b>Likely cause:</b> {{ cause.text }}. <span class="quiet">{{ cause.remedy }}.</span></div>
{% endfor -%}
{% for cell in cells -%}
<details{% if cell.opened %} open{% endif %}><summary><span class="{{ cell.look }}">{{ cell.mark }}</span>
<b>{{ cell.place }}</b> <code>{{ cell.title }}</code> <span class="quiet">{{ cell.took }}</span></summary>
{% if cell.failure %}<div>{{ cell.failure }}</div>{% endif %}
{% if cell.rows -%}
<table><tr><th></th><th>what</th><th>then</th><th>now</th><th class="apart">apart</th></tr>
{% for row in cell.rows -%}
<tr><td class="{{ row.look }}">{{ row.mark }}</td><td>{{ row.kind }} <b>{{ row.name }}</b> {{ row.parts }}</td>
<td>{{ row.before }}</td><td>{{ row.after }}</td><td class="apart">{{ row.apart }}</td></tr>
{% if row.note %}<tr><td></td><td class="quiet" colspan="4">{{ row.note }}</td></tr>{% endif %}
{% endfor -%}
</table>
{% if cell.more %}<div class="quiet">and {{ cell.more }} more that differ</div>{% endif %}
{% endif -%}
{% if cell.names %}<div class="quiet">The same: {{ cell.names }}</div>{% endif %}
<pre>{{ cell.source }}</pre></details>
{% endfor -%}
{% if proof.notes -%}
<details><summary class="open">What the verdict does not speak of ({{ proof.notes | length }})</summary>
<ul>{% for note in proof.notes %}<li>{{ note }}</li>{% endfor %}</ul></details>
{% endif -%}
<div class="quiet">The slice as a notebook: <code>{{ proof.folder }}/slice.ipynb</code></div>
</div>
"""


class ProofPicture:
    """What a notebook shows of a proof; readers without HTML get the verdict."""

    def __init__(self, proof: Proof) -> None:
        self._proof = proof

    def __repr__(self) -> str:
        failing = ", it fails as it did then" if self._proof.failed else ""
        return f"{self._proof.verdict}{failing}: run {self._proof.name} ({self._proof.run[:8]})"

    def _repr_html_(self) -> str:
        return picture(self._proof)


def picture(proof: Proof) -> str:
    """A proof as HTML: the cells of the slice, each with its mark, the first difference opened."""
    mark, look = MARKS[proof.verdict]
    made = [one for cell in proof.cells for one in cell.comparisons]
    compared = sum(one.verdict is not Verdict.NOT_COMPARED for one in made)
    first = next((cell for cell in proof.cells if cell.verdict in DIFFERENT), None)
    return _template().render(
        proof=proof,
        mark=mark,
        look=look,
        verdict=_verdict(proof),
        compared=compared,
        left=len(made) - compared,
        cells=[_cell(cell, opened=cell is first) for cell in proof.cells if not cell.left_out],
    )


def _verdict(proof: Proof) -> str:
    first = proof.first_divergence
    if first is None:
        return f"{proof.verdict.value.capitalize()}{', it fails as it did then' if proof.failed else ''}"
    name = next((one.name for one in first.comparisons if one.verdict is Verdict.DIVERGED), "")
    return f"Diverged at {first.where}, {name}"


def _cell(cell: CellProof, *, opened: bool) -> dict[str, Any]:
    mark, look = MARKS[cell.verdict] if cell.executed else ("·", "quiet")
    same = [one.name for one in cell.comparisons if one.verdict is Verdict.IDENTICAL and one.kind != "outcome"]
    rows = [one for one in cell.comparisons if one.verdict is not Verdict.IDENTICAL]
    return {
        "opened": opened,
        "mark": mark,
        "look": look,
        "place": cell.where,
        "title": next((line for line in cell.source.splitlines() if line.strip()), ""),
        "took": f"{cell.seconds_after:.1f} s ({cell.seconds_before:.1f} s then)" if cell.executed else "not reached",
        "failure": cell.failure,
        "rows": list(_rows(rows[:MOST_ROWS])),
        "more": max(0, len(rows) - MOST_ROWS),
        "names": ", ".join(same[:MOST_ROWS]) + (" …" if len(same) > MOST_ROWS else ""),
        "source": cell.source,
    }


def _rows(different: list[Comparison]) -> Iterator[dict[str, Any]]:
    for one in sorted(different, key=lambda each: each.verdict is not Verdict.DIVERGED):
        mark, look = MARKS[one.verdict]
        yield {
            "mark": mark,
            "look": look,
            "kind": one.kind,
            "name": one.name,
            "parts": f"in {', '.join(one.parts[:MOST_ROWS])}" if one.parts else "",
            "before": one.before,
            "after": one.after,
            "apart": "" if one.difference is None else share(one.difference),
            "note": one.note,
        }


@cache
def _template() -> "Template":
    from jinja2 import Environment

    return Environment(autoescape=True).from_string(TEMPLATE)
