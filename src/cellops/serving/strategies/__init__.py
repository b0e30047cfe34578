"""How traffic is divided; one file a strategy, all of one shape (see `strategy`)."""

from collections.abc import Mapping

from cellops.records.rollout import Strategy as Name
from cellops.serving.strategies.ab import AB
from cellops.serving.strategies.blue_green import BlueGreen
from cellops.serving.strategies.canary import Canary
from cellops.serving.strategies.shadow import Shadow
from cellops.serving.strategies.single import Single
from cellops.serving.strategies.strategy import Strategy

STRATEGIES: Mapping[Name, type[Strategy]] = {
    Name.SINGLE: Single,
    Name.CANARY: Canary,
    Name.SHADOW: Shadow,
    Name.AB: AB,
    Name.BLUE_GREEN: BlueGreen,
}
