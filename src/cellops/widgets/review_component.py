"""The anywidget component of a review; a file of its own, so that anywidget is imported only where it is shown."""

import anywidget
import traitlets

from cellops.widgets.assets import STATIC


class ReviewComponent(anywidget.AnyWidget):
    """The row that is labelled: `state` holds a `ReviewState` as JSON, and the page sends what is to be done."""

    _esm = STATIC / "review.js"
    _css = STATIC / "review.css"
    state = traitlets.Dict().tag(sync=True)
