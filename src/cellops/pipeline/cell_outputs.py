"""The outputs of a cell while it is executed: streams in one piece, and what its kernel could not show."""

from nbclient.exceptions import CellExecutionError
from nbformat import NotebookNode, from_dict

IDLE = "iopub.status.idle"
OUTPUT_LOST = "Some output of this cell was lost: it came faster than the kernel could send it.\n"


def join_last(outputs: list[NotebookNode], output: NotebookNode) -> NotebookNode:
    """Join the last output to the stream that it continues, as JupyterLab does; give the output that has it."""
    if len(outputs) < 2 or not _continues(outputs[-2], output):  # noqa: PLR2004
        return output
    joined = outputs[-2]
    # A list, joined when the cell has ended: adding to a string copies it, for each of thousands of messages.
    joined.text = [joined.text] if isinstance(joined.text, str) else joined.text
    joined.text.append(outputs.pop().text)
    return joined


def join_streams(cell: NotebookNode) -> None:
    """Make one text of each stream of a cell that has ended."""
    for output in cell.get("outputs", []):
        if output.output_type == "stream":
            output.text = "".join(output.text)


def tell_lost(cell: NotebookNode) -> None:
    """Say in a cell that its kernel has answered, but not sent all output, if that is so."""
    if "shell.execute_reply" in (times := cell.metadata.get("execution", {})) and IDLE not in times:
        cell.outputs.append(_node({"output_type": "stream", "name": "stderr", "text": OUTPUT_LOST}))


def add_error(cell: NotebookNode, ename: str, evalue: str) -> None:
    """Let a cell show an error, behind what it shows already."""
    cell.outputs.append(_node({"output_type": "error", "ename": ename, "evalue": evalue, "traceback": [evalue]}))


def shows_error(cell: NotebookNode) -> bool:
    return any(output.output_type == "error" for output in cell.outputs)


def left_on_purpose(error: Exception) -> bool:
    """Whether the cell called `sys.exit()` without an error code: papermill ends the notebook there and is content."""
    return isinstance(error, CellExecutionError) and error.ename == "SystemExit" and error.evalue in {"", "0"}


def _continues(before: NotebookNode, output: NotebookNode) -> bool:
    return output.output_type == before.output_type == "stream" and bool(before.name == output.name)


def _node(output: dict[str, object]) -> NotebookNode:
    node: NotebookNode = from_dict(output)  # type: ignore[no-untyped-call]
    return node
