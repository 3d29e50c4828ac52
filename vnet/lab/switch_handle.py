"""What a Python user holds of a switch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vnet.base.errors import UsageError
from vnet.lab.ovs_commands import OvsCommands
from vnet.lab.switches import Switch
from vnet.linux.bridge.bridge import Bridge

if TYPE_CHECKING:
    from vnet.hypervisor.openvswitch import OpenVSwitch


class SwitchHandle(OvsCommands):
    """A bridge in a host, or a switch on the wire.

    What says ``ovs-ofctl`` or ``ovs-appctl`` is for switches of Open vSwitch, and takes the texts
    that those take; ports may be called by name. What is changed is in force before the next
    frame. A bad text raises :class:`~vnet.ovs.flow.errors.OvsTextError`, what the switch refuses
    :class:`~vnet.ovs.openflow.errors.OpenFlowError`, and nothing has changed then.
    """

    def __init__(self, switch: Switch) -> None:
        self._switch = switch

    @property
    def name(self) -> str:
        return self._switch.name

    @property
    def bridge(self) -> Bridge:
        """The Linux bridge itself."""
        bridge = self._switch.bridge
        if bridge is None:
            raise UsageError(f"{self._switch.label} is a switch of Open vSwitch, no Linux bridge")
        return bridge

    @property
    def ports(self) -> dict[str, int]:
        """The ports by name, with their numbers."""
        return self._switch.ports()

    def fdb(self) -> list[dict[str, Any]]:
        """The stations it knows, as ``bridge fdb`` would list them; ages in seconds."""
        return self._switch.fdb()

    @property
    def machine(self) -> OpenVSwitch:
        """The Open vSwitch that it is a bridge of."""
        commands = self._switch.commands
        if commands is None:
            what = f"{self._switch.label} is a Linux bridge, which has no flows"
            raise UsageError(what, "write 'type: ovs' in the topology")
        return commands.machine

    def __repr__(self) -> str:
        return f"<SwitchHandle {self._switch.label}>"
