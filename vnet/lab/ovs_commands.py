"""What ovs-ofctl(8) and ovs-appctl(8) say to one bridge of a lab.

Texts may call ports by their names. Bad ones raise :class:`~vnet.ovs.flow.errors.OvsTextError`,
and what the bridge refuses :class:`~vnet.ovs.openflow.errors.OpenFlowError`; nothing has changed
then. A change is in force before the next frame.
"""

from __future__ import annotations

from collections.abc import Sequence

from vnet.hypervisor.openvswitch import OpenVSwitch
from vnet.ovs.dpif.text.flows import dump_line
from vnet.ovs.flow.names import NO_NAMES, Names
from vnet.ovs.ofproto.dump.flows import dump_flows
from vnet.ovs.ofproto.dump.groups import dump_group_stats, dump_groups
from vnet.ovs.ofproto.dump.ports import dump_ports
from vnet.ovs.ofproto.names import datapath_names, names_of
from vnet.ovs.ofproto.ofproto import Ofproto
from vnet.ovs.ofproto.selection import selection_of
from vnet.ovs.ofproto.trace.request import parse_request
from vnet.ovs.ofproto.trace.tracer import Tracer
from vnet.ovs.openflow.messages import FlowModCommand, GroupModCommand
from vnet.ovs.openflow.text.files import Source, parse_flows
from vnet.ovs.openflow.text.flow_mod import parse_flow
from vnet.ovs.openflow.text.group import parse_group


class BridgeCommands:
    """Commands to the bridge ``name`` of a machine."""

    def __init__(self, machine: OpenVSwitch, name: str) -> None:
        self.machine = machine
        self._name = name

    @property
    def bridge(self) -> Ofproto:
        """The bridge as OpenFlow sees it."""
        return self.machine.bridge(self._name)

    # -- changes

    def add_flow(self, text: str) -> None:
        """``ovs-ofctl add-flow``."""
        self._flow_mod(text, FlowModCommand.ADD)

    def add_flows(self, texts: str | Sequence[str]) -> None:
        """``ovs-ofctl add-flows``: a flow a line, with comments, or a list of them; all or none."""
        text = texts if isinstance(texts, str) else "\n".join(texts)
        self.machine.send(self._name, parse_flows(Source(text), names_of(self.bridge)))

    def mod_flows(self, text: str, *, strict: bool = False) -> None:
        """``ovs-ofctl mod-flows``."""
        self._flow_mod(text, FlowModCommand.MODIFY_STRICT if strict else FlowModCommand.MODIFY)

    def del_flows(self, text: str = "", *, strict: bool = False) -> None:
        """``ovs-ofctl del-flows``; without a text every flow goes."""
        self._flow_mod(text, FlowModCommand.DELETE_STRICT if strict else FlowModCommand.DELETE)

    def _flow_mod(self, text: str, command: FlowModCommand) -> None:
        self.machine.send(self._name, [parse_flow(text, command, names_of(self.bridge))])

    def add_group(self, text: str) -> None:
        """``ovs-ofctl add-group``."""
        self._group_mod(text, GroupModCommand.ADD)

    def mod_group(self, text: str) -> None:
        """``ovs-ofctl mod-group``."""
        self._group_mod(text, GroupModCommand.MODIFY)

    def del_groups(self, text: str = "") -> None:
        """``ovs-ofctl del-groups``; without a text every group goes."""
        self._group_mod(text, GroupModCommand.DELETE)

    def _group_mod(self, text: str, command: GroupModCommand) -> None:
        self.machine.send(self._name, [parse_group(text, command, names_of(self.bridge))])

    # -- what there is

    def dump_flows(self, text: str = "", *, names: bool = False) -> list[str]:
        """``ovs-ofctl dump-flows``: those that ``text`` selects, a line each."""
        wanted = parse_flow(text, FlowModCommand.DELETE, names_of(self.bridge))
        selection = selection_of(wanted, is_strict=False, by_output=True)
        return list(dump_flows(self.bridge, names=self._names(names), selection=selection))

    def dump_groups(self, *, names: bool = False) -> list[str]:
        """``ovs-ofctl dump-groups``: a line each."""
        return list(dump_groups(self.bridge, names=self._names(names)))

    def dump_group_stats(self) -> list[str]:
        """``ovs-ofctl dump-group-stats``: a line for each group."""
        return list(dump_group_stats(self.bridge))

    def dump_ports(self, *, names: bool = False) -> list[str]:
        """``ovs-ofctl dump-ports``: counters, after a line with the number of ports."""
        return list(dump_ports(self.bridge, names=self._names(names)))

    def dump_conntrack(self, zone: int | None = None) -> list[str]:
        """``ovs-appctl dpctl/dump-conntrack``: a line for each connection."""
        return list(self.machine.datapath.ct_dump(zone))

    def trace(self, flow: str, *options: str) -> str:
        """``ovs-appctl ofproto/trace``; with ``-generate`` as if such a packet had come in."""
        backer = self.machine.vswitchd.backer
        request = parse_request(backer, [self._name, flow, *options])
        text = Tracer(backer).trace(request)
        backer.revalidator.settle()
        return text

    def dump_megaflows(self, *, names: bool = False) -> list[str]:
        """The datapath's flows for what comes in by this bridge, as ``ovs-appctl
        dpctl/dump-flows`` lists them."""
        datapath = self.machine.datapath
        port_names = datapath_names(datapath) if names else None
        return [
            dump_line(
                flow,
                datapath.scheduler.now_ns,
                port_names=port_names,
                vlan_limit=datapath.vlan_limit,
            )
            for flow in datapath.flows()
            if self._is_ours(flow.key)
        ]

    def _is_ours(self, key: int) -> bool:
        ingress = self.machine.vswitchd.backer.ingress(key)
        return ingress is not None and ingress[0] is self.bridge

    def _names(self, names: bool) -> Names:
        return names_of(self.bridge) if names else NO_NAMES
