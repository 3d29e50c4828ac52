"""``ct`` and the ``nat`` within it (ovs-actions(7), "ct")."""

from __future__ import annotations

from dataclasses import replace

from vnet.ovs.flow.errors import OvsTextError
from vnet.ovs.flow.fields import Subfield
from vnet.ovs.flow.names import parse_table, table_text
from vnet.ovs.flow.prerequisites import is_ip
from vnet.ovs.flow.protocol_numbers import CS_INVALID, IPPROTO_TCP, IPPROTO_UDP
from vnet.ovs.flow.tokens import key_values, parse_u16
from vnet.ovs.openflow.errors import OpenFlowError
from vnet.ovs.openflow.ofpacts import TABLE_ALL, Ct, Nat, Ofpacts
from vnet.ovs.openflow.text.actions.kind import ActionKind, AnyKind, Checker, Printer, Reader
from vnet.ovs.openflow.text.actions.nat import KIND as NAT_KIND
from vnet.ovs.openflow.text.actions.nat import nat_text, parse_nat
from vnet.ovs.openflow.text.actions.parts import check_source

_FTP, _TFTP = 21, 69
_HELPERS = {"ftp": _FTP, "tftp": _TFTP}
_HELPER_NAMES = {port: name for name, port in _HELPERS.items()}
_HELPER_PROTOCOLS = {_FTP: IPPROTO_TCP, _TFTP: IPPROTO_UDP}
_ZONE_BITS = 16


def _parse_ct(value: str, reader: Reader) -> Ct:
    commit = force = False
    zone, zone_source, table_id, alg = 0, None, None, 0
    actions: Ofpacts = ()
    for key, text in key_values(value):
        match key:
            case "commit":
                commit = True
            case "force":
                force = True
            case "table":
                table_id = _parse_recirculation(text, reader)
            case "zone":
                try:
                    zone = parse_u16(text, "zone")
                except OvsTextError:
                    zone_source = Subfield.parse(text)
            case "alg":
                if text not in _HELPERS:
                    raise OvsTextError(f'invalid conntrack helper "{text}"')
                alg = _HELPERS[text]
            case "nat":
                actions += (parse_nat(text, reader),)
            case "exec":
                actions += reader.nested(text, Ct)
            case _:
                raise OvsTextError(f'invalid argument to "ct" action: `{key}\'')
    if force and not commit:
        raise OvsTextError('"force" flag requires "commit" flag.')
    return Ct(commit, force, zone, zone_source, table_id, alg, actions)


def _parse_recirculation(text: str, reader: Reader) -> int:
    table_id = parse_table(text, reader.names)
    if table_id is None:
        raise OvsTextError(f"unknown table {text}")
    if table_id == TABLE_ALL:
        raise OvsTextError(f"invalid table {table_id:#x}")
    return table_id


def _ct_text(action: Ct, printer: Printer) -> str:
    arguments = []
    if action.commit:
        arguments.append("commit")
    if action.force:
        arguments.append("force")
    if action.table_id is not None:
        arguments.append(f"table={table_text(action.table_id, printer.names)}")
    if action.zone_source is not None:
        arguments.append(f"zone={action.zone_source.format()}")
    elif action.zone:
        arguments.append(f"zone={action.zone}")
    within = action.actions
    if within and isinstance(within[0], Nat):
        arguments.append(nat_text(within[0], printer))
        within = within[1:]
    if within:
        arguments.append(f"exec({printer.actions(within)})")
    if action.alg:
        arguments.append(f"alg={_HELPER_NAMES.get(action.alg, action.alg)}")
    return f"ct({','.join(arguments)})"


def _check_ct(action: Ct, checker: Checker) -> Ct:
    flow = checker.flow
    protocol = _HELPER_PROTOCOLS.get(action.alg, flow.nw_proto)
    if (
        not is_ip(flow)
        or (flow.ct_state & CS_INVALID and action.commit)
        or flow.nw_proto != protocol
    ):
        raise OpenFlowError("OFPBAC_MATCH_INCONSISTENT")
    if action.zone_source is not None:
        # Open vSwitch looks no further in this case.
        check_source(action.zone_source, checker.flow, checker.mask)
        return action
    return replace(action, actions=checker.nested(action.actions))


KINDS: tuple[AnyKind, ...] = (
    ActionKind(Ct, "ct", {"ct": _parse_ct}, _ct_text, _check_ct),
    NAT_KIND,
)
