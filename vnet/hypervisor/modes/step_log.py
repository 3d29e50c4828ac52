"""What the scripts of one host write down, and steps that several of them take."""

from __future__ import annotations

from vnet.base.errors import UsageError
from vnet.base.ids import IpAddress
from vnet.hypervisor.steps import ScriptStep
from vnet.linux.netns.namespace import Namespace


class StepLog:
    """The steps of a host's scripts, in order; only those of its start, for guests come and go."""

    def __init__(self, host: str) -> None:
        self._host = host
        self.steps: list[ScriptStep] = []
        self.is_booting = True

    def did(self, script: str, *commands: str) -> None:
        """Write down what ``script`` has done."""
        if self.is_booting:
            self.steps += [ScriptStep(self._host, script, command) for command in commands]


def echo(namespace: Namespace, value: int, path: str) -> str:
    """Set the setting ``net/ipv4/...`` as shell scripts do, and return the command."""
    namespace.sysctls[path] = value
    return f"echo {value} >/proc/sys/{path}"


def dom0_ip(namespace: Namespace, netdev: str) -> IpAddress:
    """The host's own address at the device by which guests are routed, as Xen's dom0_ip has it.

    Raises :class:`UsageError` where the device has no IPv4 address.
    """
    for address in namespace.interface(netdev).addresses:
        if len(address.ip) == 4 and not address.is_secondary:
            return address.ip
    raise UsageError(f"{namespace.name}: {netdev} is not up", f"give {netdev} an IPv4 address")
