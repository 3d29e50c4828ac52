"""The other commands of ovs-vsctl(8): all of the switch, Auto Attach, connection tracking."""

from __future__ import annotations

import re
from collections.abc import Sequence

from vnet.ovs.flow.errors import OvsTextError
from vnet.ovs.vsctl.commands.numbers import c_integer, has_number
from vnet.ovs.vsctl.context import Command, Context
from vnet.ovs.vsctl.record import Record

_ZONE = re.compile(r"zone=\s*([+-]?[0-9]+)")
_RESET_BRIDGE = ("controller", "fail_mode", "mirrors", "netflow", "sflow", "ipfix", "flood_vlans")
_RESET_TABLES = (
    *("Mirror", "Controller", "Manager", "NetFlow", "SSL", "sFlow", "IPFIX"),
    "Flow_Sample_Collector_Set",
)


def init(_context: Context, _command: Command) -> None:
    """``init``: the one row comes by itself, with any command."""


def comment(_context: Context, _command: Command) -> None:
    """``comment [ARG]...``: the command line is written down, that is all."""


def reset(context: Context, _command: Command) -> None:
    """``emer-reset``."""
    transaction = context.transaction
    context.root.put("manager_options")
    context.root.put("ssl")
    for bridge in transaction.records("Bridge"):
        for column in _RESET_BRIDGE:
            bridge.put(column)
        kept = [pair for pair in bridge["other_config"] if pair[0] == "hwaddr"]
        bridge.put("other_config", *kept)
    for port in transaction.records("Port"):
        port.put("other_config")
    for interface in transaction.records("Interface"):
        interface.put("ingress_policing_rate", 0)
        interface.put("ingress_policing_burst", 0)
    for table in _RESET_TABLES:
        for record in transaction.records(table):
            transaction.delete(record)
    context.rows_changed()


# -- Auto Attach


def _mapping(command: Command) -> tuple[int, int]:
    """I-SID and VLAN."""
    for text in command.words[2:4]:
        if not has_number(text):
            raise OvsTextError(f"Invalid argument {text}")
    return c_integer(command.words[2]), c_integer(command.words[3])


def _auto_attach(context: Context, name: str) -> tuple[Record, Record | None]:
    """A bridge's row, and that of its Auto Attach."""
    bridge = context.switch.bridge(name).record
    return bridge, next(context.transaction.referred("AutoAttach", bridge["auto_attach"]), None)


def add_mapping(context: Context, command: Command) -> None:
    """``add-aa-mapping BRIDGE I-SID VLAN``."""
    isid, vlan = _mapping(command)
    bridge, attach = _auto_attach(context, command.words[1])
    if attach is None:
        attach = context.transaction.insert("AutoAttach")
        bridge.put("auto_attach", attach.uuid)
    attach.put("mappings", *({isid: vlan} | dict(attach["mappings"])).items())


def delete_mapping(context: Context, command: Command) -> None:
    """``del-aa-mapping BRIDGE I-SID VLAN``: with it go all with the same I-SID or VLAN."""
    isid, vlan = _mapping(command)
    _, attach = _auto_attach(context, command.words[1])
    if attach is not None and (isid, vlan) in attach["mappings"]:
        kept = [pair for pair in attach["mappings"] if pair[0] != isid and pair[1] != vlan]
        attach.put("mappings", *kept)


def show_mappings(context: Context, command: Command) -> str:
    """``get-aa-mapping BRIDGE``."""
    bridge, attach = _auto_attach(context, command.words[1])
    bridge.verify("auto_attach")
    if attach is None:
        return ""
    attach.verify("mappings")
    return "".join(f"{isid} {vlan}\n" for isid, vlan in attach["mappings"])


# -- connection tracking


def _datapath(context: Context, name: str, complaint: str) -> Record:
    uuid = dict(context.root["datapaths"]).get(name)
    record = None if uuid is None else context.transaction.record("Datapath", uuid)
    if record is None:
        raise OvsTextError(complaint)
    return record


def _zone_number(text: str) -> int:
    found = _ZONE.match(text)
    return int(found[1]) if found else 0


def _zone(context: Context, datapath: Record, number: int) -> Record | None:
    uuid = dict(datapath["ct_zones"]).get(number)
    return None if uuid is None else context.transaction.record("CT_Zone", uuid)


def add_zone(context: Context, command: Command) -> None:
    """``add-zone-tp DATAPATH zone=ZONE TIMEOUT...``."""
    _, name, zone_text, *timeouts = command.words
    datapath = _datapath(context, name, f"datapath {name} does not exist")
    number = _zone_number(zone_text)
    zone = _zone(context, datapath, number)
    if zone is not None and not command.has("--may-exist"):
        raise OvsTextError(f"zone id {number} already exists")
    policy = _policy(context, timeouts)
    if zone is None:
        zone = context.transaction.insert("CT_Zone")
        datapath.add("ct_zones", number, zone.uuid)
    zone.put("timeout_policy", policy.uuid)


def _policy(context: Context, texts: Sequence[str]) -> Record:
    """The row with these timeouts: any that there is will do."""
    pairs = (text.partition("=") for text in texts)
    wanted = {key: c_integer(value) for key, _, value in pairs}
    for record in context.transaction.records("CT_Timeout_Policy"):
        if dict(record["timeouts"]) == wanted:
            return record
    record = context.transaction.insert("CT_Timeout_Policy")
    record.put("timeouts", *wanted.items())
    return record


def delete_zone(context: Context, command: Command) -> None:
    """``del-zone-tp DATAPATH zone=ZONE``."""
    _, name, zone_text = command.words
    datapath = _datapath(context, name, f"datapath {name} does not exist")
    number = _zone_number(zone_text)
    if _zone(context, datapath, number) is not None:
        kept = [pair for pair in datapath["ct_zones"] if pair[0] != number]
        datapath.put("ct_zones", *kept)
    elif not command.has("--if-exists"):
        raise OvsTextError(f"zone id {number} does not exist")


def list_zones(context: Context, command: Command) -> str:
    """``list-zone-tp DATAPATH``."""
    name = command.words[1]
    datapath = _datapath(context, name, f"datapath: {name} record not found")
    lines = []
    for number, uuid in datapath["ct_zones"]:
        zone = context.transaction.record("CT_Zone", uuid)
        assert zone is not None, "the database keeps zones that are referred to"
        policies = context.transaction.referred("CT_Timeout_Policy", zone["timeout_policy"])
        policy = next(policies, None)
        timeouts = [] if policy is None else [f"{k}={v}" for k, v in policy["timeouts"]]
        text = "system default" if policy is None else " ".join(timeouts)
        lines.append(f"Zone:{number}, Timeout Policies: {text}".rstrip(" ") + "\n")
    return "".join(lines)


def list_capabilities(context: Context, command: Command) -> str:
    """``list-dp-cap DATAPATH``."""
    name = command.words[1]
    datapath = _datapath(context, name, f'datapath "{name}" record not found')
    return " ".join(f"{key}={value}" for key, value in datapath["capabilities"]) + "\n"
