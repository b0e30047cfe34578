"""The anywidget component; a file of its own, so that anywidget is imported only where a widget is shown."""

import anywidget
import traitlets

from cellops.widgets.assets import STATIC


class RunsComponent(anywidget.AnyWidget):
    """The list of runs in the page: `runs` holds run summaries as JSON."""

    _esm = STATIC / "runs.js"
    _css = STATIC / "runs.css"
    runs = traitlets.List(traitlets.Dict()).tag(sync=True)
