"""Steps about multicast groups, once they are checked."""

from __future__ import annotations

from dataclasses import dataclass

from vnet.base.ids import IpAddress, ip_text
from vnet.topology.steps import Step


@dataclass(frozen=True, slots=True)
class MembershipStep(Step):
    """A machine joins ``group``, or leaves it; ``device`` None is for its routes to say."""

    machine: str
    device: str | None
    group: IpAddress
    joins: bool

    @property
    def title(self) -> str:
        who = self.machine if self.device is None else f"{self.machine}:{self.device}"
        return f"{'join' if self.joins else 'leave'} {who} {ip_text(self.group)}"
