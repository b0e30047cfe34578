"""A plain command line of a kernel is read as ipykernel reads it, and any other is left to that."""

import pytest
from ipykernel.kernelapp import IPKernelApp

from cellops.pipeline.forkserver.command_line import config_of, read_plainly

PLAIN = [
    ["-f", "/a b/kernel.json"],
    ["-f", "k.json", "--IPKernelApp.log_level=40", "--HistoryManager.enabled=False"],
    ["--HistoryManager.hist_file=:memory:", "-f", "k.json"],
]
OTHERS = [
    ["--matplotlib=inline"],
    ["-f"],
    ["--debug", "-f", "k.json"],
    ["script.py"],
    ["-f", "a", "-f", "b"],
    ["--help"],
]


@pytest.mark.parametrize("arguments", PLAIN)
def test_what_is_plain_is_read_as_ipykernel_reads_it(arguments: list[str]) -> None:
    mine, theirs = IPKernelApp(), IPKernelApp()
    read_plainly(mine, arguments)
    mine.parse_command_line()
    theirs.parse_command_line(arguments)
    assert "parse_command_line" in vars(mine)
    assert (mine.config, mine.cli_config, mine.extra_args) == (theirs.config, theirs.cli_config, theirs.extra_args)
    assert (mine.connection_file, mine.log_level, mine.argv) == (theirs.connection_file, theirs.log_level, theirs.argv)


@pytest.mark.parametrize("arguments", OTHERS)
def test_what_is_not_plain_is_left_to_ipykernel(arguments: list[str]) -> None:
    kernel = IPKernelApp()
    read_plainly(kernel, arguments)
    assert config_of(arguments) is None
    assert "parse_command_line" not in vars(kernel)
