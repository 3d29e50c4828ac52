"""Groups and meters: ``add-group``, ``dump-meters`` and their like."""

from __future__ import annotations

from vnet.ovs.flow.protocols import P_ANY, P_OF10_ANY, P_OF13_UP, P_OF15_OXM
from vnet.ovs.flow.tokens import parse_u32
from vnet.ovs.ofproto.dump.groups import dump_group_stats, dump_groups
from vnet.ovs.ofproto.dump.meters import dump_meter_features, dump_meter_stats, dump_meters
from vnet.ovs.openflow.errors import OpenFlowError
from vnet.ovs.openflow.messages import GROUP_ALL, METER_ALL, GroupModCommand, MeterModCommand
from vnet.ovs.openflow.text.files import parse_groups
from vnet.ovs.openflow.text.group import parse_group
from vnet.ovs.openflow.text.meter import parse_meter, parse_meter_id
from vnet.ovs.openflow.text.sending import protocol_for
from vnet.ovs.openflow.version import OpenFlowVersion, version_of
from vnet.ovs.vswitchd.ofctl.command import Call, reply
from vnet.ovs.vswitchd.ofctl.flows import source_of

# -- groups


def add(call: Call) -> str:
    """``add-group``."""
    return _send(call, GroupModCommand.ADD)


def add_file(call: Call) -> str:
    """``add-groups``: lines may begin with a command; all or none."""
    return call.send(*parse_groups(source_of(call), call.names, call.options.allowed))


def modify(call: Call) -> str:
    """``mod-group``."""
    return _send(call, GroupModCommand.MODIFY)


def delete(call: Call) -> str:
    """``del-groups``; without GROUP every group goes."""
    return _send(call, GroupModCommand.DELETE)


def insert_buckets(call: Call) -> str:
    """``insert-buckets``."""
    return _send(call, GroupModCommand.INSERT_BUCKET)


def remove_buckets(call: Call) -> str:
    """``remove-buckets``."""
    return _send(call, GroupModCommand.REMOVE_BUCKET)


def _send(call: Call, command: GroupModCommand) -> str:
    return call.send(parse_group(call.word, command, call.names, call.options.allowed))


def dump(call: Call) -> str:
    """``dump-groups``: all, or the one of a number."""
    allowed = call.options.allowed
    group_id = parse_u32(call.word) if call.word not in ("", "all") else GROUP_ALL
    protocol = P_OF15_OXM if allowed == P_ANY or allowed & P_OF10_ANY else allowed & -allowed
    lines = dump_groups(call.bridge, protocol, call.shown_names, group_id)
    version = call.options.version(OpenFlowVersion.OF10)
    kind = "NXST_GROUP_DESC" if version is OpenFlowVersion.OF10 else "OFPST_GROUP_DESC"
    return reply(kind, version, (f" {line}" for line in lines))


def stats(call: Call) -> str:
    """``dump-group-stats``: of all, or of the one that ``group_id=N`` means."""
    wanted = parse_group(call.word, GroupModCommand.DELETE, call.names)
    version = call.options.version(OpenFlowVersion.OF10)
    kind = "NXST_GROUP" if version is OpenFlowVersion.OF10 else "OFPST_GROUP"
    lines = dump_group_stats(call.bridge, version, wanted.group_id)
    return reply(kind, version, (f" {line}" for line in lines), xid=6)


# -- meters, which came with OpenFlow 1.3


def add_meter(call: Call) -> str:
    """``add-meter``."""
    return _send_meter(call, MeterModCommand.ADD)


def modify_meter(call: Call) -> str:
    """``mod-meter``."""
    return _send_meter(call, MeterModCommand.MODIFY)


def delete_meters(call: Call) -> str:
    """``del-meter``, ``del-meters``; without METER every meter goes."""
    return _send_meter(call, MeterModCommand.DELETE)


def _send_meter(call: Call, command: MeterModCommand) -> str:
    _meter_version(call)
    return call.send(parse_meter(call.word, command))


def meter_features(call: Call) -> str:
    """``meter-features``."""
    version = _meter_version(call)
    return reply("OFPST_METER_FEATURES", version, dump_meter_features(call.bridge))


def meters(call: Call) -> str:
    """``dump-meter``, ``dump-meters``."""
    version = _meter_version(call)
    return reply("OFPST_METER_CONFIG", version, dump_meters(call.bridge, _meter_id(call)))


def meter_stats(call: Call) -> str:
    """``meter-stats``."""
    version = _meter_version(call)
    return reply("OFPST_METER", version, dump_meter_stats(call.bridge, _meter_id(call)))


def _meter_id(call: Call) -> int:
    meter_id = parse_meter_id(call.word) if call.word else METER_ALL
    if meter_id != METER_ALL and meter_id not in call.bridge.meters:
        raise OpenFlowError("OFPMMFC_UNKNOWN_METER")
    return meter_id


def _meter_version(call: Call) -> OpenFlowVersion:
    return version_of(protocol_for(P_OF13_UP, call.options.allowed))
