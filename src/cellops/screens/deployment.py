"""A test deployment: a line for each step, and what it came to."""

from typing import TYPE_CHECKING

from cellops.screens.console import plain, say

if TYPE_CHECKING:
    from cellops.records.deployment import DeploymentReport, StepReport


def deployment_step(step: "StepReport") -> None:
    """A step when it has been taken; one that failed with the last lines of who failed."""
    mark = "[green]✓[/]" if step.passed else "[red]✗[/]"
    say(f"{mark} {step.step:<11}  {step.seconds:6.1f} s  {plain(step.said)}")
    for line in step.log:
        say(f"    [dim]{plain(line)}[/]")


def deployed(report: "DeploymentReport") -> None:
    word = "[green]passed[/]" if report.passed else "[red]failed[/]"
    say(f"Test deployment of [bold]{plain(report.package)}[/] {word} in {report.seconds:.1f} s")
    if report.environment is not None:
        say(f"  digest {report.digest[:16]}, cellops {report.environment.cellops}", markup=False)
