"""``dpctl/...-dp`` and ``dpctl/...-if``: datapaths and their ports, without any bridge.

A bridge's datapath is the bridge's own: a port that nobody configured goes at once, and one that
is taken away is missed until the bridge is next configured.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from vnet.netdev.device import NetDevice
from vnet.ovs.datapath.datapath import Datapath
from vnet.ovs.dpif.dpif import DatapathPort, Dpif
from vnet.ovs.dpif.text.show import USUAL_PORTS, datapath_text, port_kind
from vnet.ovs.flow.ports import ODPP_LOCAL, OdpPort
from vnet.ovs.vswitchd.appctl.dpctl.call import DpctlCall, DpctlError, Errno
from vnet.ovs.vswitchd.config import TUNNEL_TYPES, BridgeConfig, InterfaceConfig
from vnet.ovs.vswitchd.numbers import dummy_number

_NUMBER = re.compile(r"\s*([-+]?[0-9]+)")


class _Wanted(NamedTuple):
    """``p1,type=dummy,port_no=9``."""

    name: str
    options: dict[str, str]

    @classmethod
    def parse(cls, text: str) -> _Wanted:
        """What a word says; an option without a value is empty."""
        name, *options = text.split(",")
        return cls(name, dict(option.partition("=")[::2] for option in options))

    @property
    def type(self) -> str:
        return self.options.get("type", "system")

    @property
    def number(self) -> OdpPort | None:
        if "port_no" not in self.options:
            return None
        return OdpPort(_number(self.options["port_no"]))


def _number(text: str) -> int:
    found = _NUMBER.match(text)
    return int(found[1]) if found else 0


# -- datapaths


def add_datapath(call: DpctlCall) -> None:
    """``add-dp dp [iface...]``."""
    full_name = call.words[0]
    kind, at, name = full_name.partition("@")
    if not at or kind not in ("netdev", "dummy"):
        raise DpctlError("add_dp", Errno.EAFNOSUPPORT)
    if full_name in call.datapaths():
        raise DpctlError("add_dp", Errno.EEXIST)
    vswitchd = call.vswitchd
    vswitchd.other_datapaths[name] = Datapath(vswitchd.backer.scheduler, name, kind=kind)
    if call.words[1:]:
        add(call)


def delete_datapath(call: DpctlCall) -> None:
    """``del-dp dp``."""
    name = call.words[0]
    dpif = call.open(name, "opening datapath")
    if call.vswitchd.other_datapaths.pop(dpif.name, None) is None:
        raise DpctlError("del_dp", Errno.EBUSY)


# -- ports


def add(call: DpctlCall) -> None:
    """``add-if dp iface...``. The last that goes wrong decides how it went."""
    name, *words = call.words
    dpif = call.open(name, "opening datapath")
    wrong = [error for word in words for error in _added(call, dpif, _Wanted.parse(word))]
    _tell(call, wrong)


def _added(call: DpctlCall, dpif: Dpif, wanted: _Wanted) -> Iterator[DpctlError]:
    """Add a port. Gives what is wrong with it, if anything is."""
    name = wanted.name
    present = next((port for port in dpif.ports() if port.name == name), None)
    if present is not None and wanted.type != present.kind:
        yield _not_opened(name, Errno.EEXIST)
        return
    taken = {port.number for port in dpif.ports()} | {ODPP_LOCAL}
    if present is not None or wanted.number in taken:
        why = Errno.EBUSY if wanted.number in taken else Errno.EEXIST
        yield DpctlError(f"adding {name} to {datapath_text(dpif)} failed", why)
        return
    if wanted.type in TUNNEL_TYPES:
        dpif.tunnel_add(*_tunnel_port(wanted))
        return
    try:
        device = _open(call, dpif, wanted)
    except OSError:
        yield _not_opened(name, Errno.EAFNOSUPPORT)
        return
    if device is None:
        yield _not_opened(name, Errno.ENODEV)
        return
    dpif.port_add(device, wanted.type, _number_for(dpif, wanted))
    if dpif is call.vswitchd.backer.dpif:
        _remove(call, dpif, next(port for port in dpif.ports() if port.name == name))


def _not_opened(name: str, why: Errno) -> DpctlError:
    return DpctlError(f"{name}: failed to open network device", why)


def _tunnel_port(wanted: _Wanted) -> tuple[str, str, OdpPort | None]:
    """A tunnel's port goes by what all tunnels of its kind have in common."""
    destination = wanted.options.get("dst_port", "") or str(USUAL_PORTS.get(wanted.type, ""))
    name = f"{wanted.type}_sys" + (f"_{destination}" if destination else "")
    return name, wanted.type, OdpPort(int(destination)) if destination else wanted.number


def _open(call: DpctlCall, dpif: Dpif, wanted: _Wanted) -> NetDevice | None:
    bridge = BridgeConfig(dpif.name, datapath_type=dpif.kind)
    interface = InterfaceConfig(wanted.name, type="" if wanted.type == "system" else wanted.type)
    return call.vswitchd.devices.open(bridge, interface)


def _number_for(dpif: Dpif, wanted: _Wanted) -> OdpPort | None:
    if wanted.number is not None or dpif.kind != "dummy":
        return wanted.number
    return dummy_number(wanted.name, dpif.has_port)


def delete(call: DpctlCall) -> None:
    """``del-if dp iface...``: ports by name or number."""
    full_name, *words = call.words
    dpif = call.open(full_name, "opening datapath")
    wrong = []
    for word in words:
        port = _find(dpif, word)
        what = f"deleting port {word} from {full_name} failed"
        if port is None and word.isdecimal():
            wrong.append(DpctlError(what, Errno.ENOENT))
        elif port is None:
            wrong.append(DpctlError(f"no port named {word}"))
        elif port.number == ODPP_LOCAL:
            wrong.append(DpctlError(what, Errno.EINVAL))
        else:
            _remove(call, dpif, port)
    _tell(call, wrong)


def _ports(dpif: Dpif) -> Iterator[DatapathPort]:
    """The datapath's ports, its own among them."""
    yield DatapathPort(ODPP_LOCAL, dpif.name, "internal")
    yield from dpif.ports()


def _find(dpif: Dpif, word: str) -> DatapathPort | None:
    number = int(word) if word.isdecimal() else None
    return next((p for p in _ports(dpif) if word == p.name or number == p.number), None)


def _remove(call: DpctlCall, dpif: Dpif, port: DatapathPort) -> None:
    vswitchd = call.vswitchd
    found = vswitchd.backer.port_at(port.number) if dpif is vswitchd.backer.dpif else None
    if found is not None:
        bridge, ofport = found
        vswitchd.running[bridge.name].drop(ofport.name)
        vswitchd.backer.revalidator.settle()
        return
    dpif.port_del(port.number)
    if port.device is not None and port.kind not in TUNNEL_TYPES:
        vswitchd.devices.close(port.device, InterfaceConfig(port.name, type=port.kind))


def change(call: DpctlCall) -> None:
    """``set-if dp iface...``: what can be changed of a port is none of its type or number."""
    full_name, *words = call.words
    dpif = call.open(full_name, "opening datapath")
    wrong = []
    for word in words:
        wanted = _Wanted.parse(word)
        port = next((port for port in _ports(dpif) if port.name == wanted.name), None)
        if port is None:
            what = f"{wanted.name}: failed to query port in {full_name}"
            wrong.append(DpctlError(what, Errno.ENODEV))
            continue
        kind = port_kind(dpif, port)
        if "type" in wanted.options and wanted.type != kind:
            what = f"{port.name}: can't change type from {kind} to {wanted.type}"
            wrong.append(DpctlError(what))
        elif wanted.number is not None and wanted.number != port.number:
            what = f"can't change port number from {port.number} to {wanted.number}"
            wrong.append(DpctlError(f"{port.name}: {what}"))
    _tell(call, wrong)


def _tell(call: DpctlCall, wrong: list[DpctlError]) -> None:
    for error in wrong:
        call.complain(error.what, error.why)
    if wrong:
        raise DpctlError
