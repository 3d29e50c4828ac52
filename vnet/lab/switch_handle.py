"""What a Python user holds of a switch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from vnet.base.errors import UsageError
from vnet.lab.switches import Switch
from vnet.linux.bridge.bridge import Bridge

if TYPE_CHECKING:
    from vnet.lab.ovs_commands import BridgeCommands


class SwitchHandle:
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

    def add_flow(self, text: str) -> None:
        """``ovs-ofctl add-flow``."""
        self._commands.add_flow(text)

    def add_flows(self, texts: str | Sequence[str]) -> None:
        """``ovs-ofctl add-flows``: a text with a flow a line, or a list of flows; all or none."""
        self._commands.add_flows(texts)

    def mod_flows(self, text: str, *, strict: bool = False) -> None:
        """``ovs-ofctl mod-flows``."""
        self._commands.mod_flows(text, strict=strict)

    def del_flows(self, text: str = "", *, strict: bool = False) -> None:
        """``ovs-ofctl del-flows``; without a text every flow goes."""
        self._commands.del_flows(text, strict=strict)

    def dump_flows(self, text: str = "", *, names: bool = False) -> list[str]:
        """``ovs-ofctl dump-flows``: a line for each flow, or for those that ``text`` means."""
        return self._commands.dump_flows(text, names=names)

    def add_group(self, text: str) -> None:
        """``ovs-ofctl add-group``."""
        self._commands.add_group(text)

    def mod_group(self, text: str) -> None:
        """``ovs-ofctl mod-group``."""
        self._commands.mod_group(text)

    def del_groups(self, text: str = "") -> None:
        """``ovs-ofctl del-groups``; without a text every group goes."""
        self._commands.del_groups(text)

    def dump_groups(self, *, names: bool = False) -> list[str]:
        """``ovs-ofctl dump-groups``: a line for each group."""
        return self._commands.dump_groups(names=names)

    def dump_group_stats(self) -> list[str]:
        """``ovs-ofctl dump-group-stats``: what each group and its buckets have seen."""
        return self._commands.dump_group_stats()

    def dump_ports(self, *, names: bool = False) -> list[str]:
        """``ovs-ofctl dump-ports``: the ports' counters, after a line that counts the ports."""
        return self._commands.dump_ports(names=names)

    def dump_conntrack(self, zone: int | None = None) -> list[str]:
        """``ovs-appctl dpctl/dump-conntrack``: the connections of the switch's datapath, or those
        of a zone, a line each."""
        return self._commands.dump_conntrack(zone)

    def trace(self, flow: str, *options: str) -> str:
        """``ovs-appctl ofproto/trace``: which way a packet takes. With the option ``-generate``
        it has the side effects of such a packet."""
        return self._commands.trace(flow, *options)

    def dump_megaflows(self, *, names: bool = False) -> list[str]:
        """``ovs-appctl dpctl/dump-flows``: what the datapath does with frames that come in by
        this switch without asking, a line for each flow."""
        return self._commands.dump_megaflows(names=names)

    @property
    def _commands(self) -> BridgeCommands:
        commands = self._switch.commands
        if commands is None:
            what = f"{self._switch.label} is a Linux bridge, which has no flows"
            raise UsageError(what, "write 'type: ovs' in the topology")
        return commands

    def __repr__(self) -> str:
        return f"<SwitchHandle {self._switch.label}>"
