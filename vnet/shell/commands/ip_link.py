"""``ip link add``, ``del`` and ``set``: devices made, taken away and changed while a lab runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from vnet.base.errors import UsageError
from vnet.base.ids import Mac
from vnet.base.text import did_you_mean, one_of, quote
from vnet.linux.netns.links import check_device_name
from vnet.linux.netns.namespace import Namespace
from vnet.linux.netns.vlan_devices import add_vlan_device
from vnet.netdev.device_name import MOST_NAME_BYTES
from vnet.netdev.pair import PairDevice, pair_up
from vnet.shell.commands.ip_bridge import add_bridge, set_bridge
from vnet.shell.commands.ip_bridge_port import set_bridge_port
from vnet.shell.commands.ip_words import WordReader, device_name
from vnet.shell.keywords import hardware_address, on_or_off
from vnet.wire.ether import TYPE_QINQ, TYPE_VLAN

_NS_PER_CENTISECOND = 10_000_000
_NOT_SUPPORTED = "RTNETLINK answers: Operation not supported"
_PROTOCOLS = {"802.1Q": TYPE_VLAN, "802.1q": TYPE_VLAN, "802.1ad": TYPE_QINQ}
_KINDS = ("bridge", "veth", "vlan")


def change_link(namespace: Namespace, verb: str, words: Sequence[str]) -> str:
    """Do what stands behind ``ip link``."""
    actions = {"add": _add, "delete": _delete, "set": _set}
    actions[next(name for name in actions if name.startswith(verb))](namespace, list(words))
    return ""


# -- add and delete


def _add(namespace: Namespace, words: list[str]) -> None:
    if "type" not in words:
        raise UsageError('Not enough information: "type" argument is required', one_of(_KINDS))
    at = words.index("type")
    generic, rest = WordReader(words[:at]), WordReader(words[at + 1 :])
    given: dict[str, str] = {}
    while generic:
        word = generic.next()
        if word in ("link", "address", "mtu"):
            given[word] = generic.next()
        elif word == "name":
            given["name"] = _new_name(generic.next())
        elif word == "dev":
            given["name"] = _place(generic.next())
        elif "name" not in given:
            given["name"] = _place(word)
        else:
            raise UsageError(f'Error: either "dev" is duplicate, or {quote(word)} is a garbage.')
    kind = rest.next()
    mac = hardware_address(given["address"]) if "address" in given else None
    if kind == "vlan":
        _add_vlan(namespace, given, rest.pairs(), mac)
    elif kind == "bridge":
        add_bridge(namespace, _free_name(namespace, given), rest, mac)
    elif kind == "veth":
        _add_veth(namespace, _free_name(namespace, given), rest, mac)
    else:
        raise UsageError("Error: Unknown device type.", f"here: {one_of(_KINDS)}")
    if "mtu" in given and kind != "vlan":
        namespace.set_mtu(given["name"], _mtu(given["mtu"]))


def _free_name(namespace: Namespace, given: Mapping[str, str]) -> str:
    if "name" not in given:
        raise UsageError('Not enough information: "dev" argument is required.', "name it")
    if len(given["name"].encode()) > MOST_NAME_BYTES:
        raise UsageError("Error: Attribute failed policy validation.", f"{MOST_NAME_BYTES} bytes")
    check_device_name(given["name"])
    if given["name"] in namespace.interfaces:
        raise UsageError("RTNETLINK answers: File exists", f"there is a {given['name']}")
    return given["name"]


def _new_name(text: str) -> str:
    """A name as ip itself checks it, before it asks the kernel."""
    if len(text.encode()) > MOST_NAME_BYTES:
        raise UsageError(f'Error: argument "{text}" is wrong: "name" not a valid ifname')
    return _place(text, "name")


def _place(text: str, keyword: str = "dev") -> str:
    if not text or "/" in text or any(c.isspace() for c in text):
        raise UsageError(f'Error: argument "{text}" is wrong: "{keyword}" not a valid ifname')
    return text


def _add_vlan(
    namespace: Namespace, given: Mapping[str, str], options: Mapping[str, str], mac: Mac | None
) -> None:
    if "link" not in given:
        raise UsageError("Error: 8021q: VLAN properties not specified.", "say link DEV")
    _check(options, ("id", "protocol"))
    if "id" not in options:
        raise UsageError("vlan: missing id", "say id VID")
    protocol = _PROTOCOLS.get(options.get("protocol", "802.1Q"))
    if protocol is None:
        raise UsageError(f'Error: argument "{options["protocol"]}" is wrong: protocol is invalid')
    link = device_name(namespace, given["link"])
    vid = _number(options["id"], "id is invalid")
    name = _free_name(namespace, {"name": f"{link}.{vid}", **given})
    add_vlan_device(
        namespace,
        link,
        name,
        vid,
        protocol=protocol,
        mac=mac,
        mtu_bytes=_mtu(given["mtu"]) if "mtu" in given else None,
        ipv6=namespace.interface(link).addrconf is not None,
    )


def _add_veth(namespace: Namespace, name: str, rest: WordReader, mac: Mac | None) -> None:
    if not rest or rest.next() != "peer":
        raise UsageError("veth: which peer?", f"ip link add {name} type veth peer name PEER")
    word = rest.next()
    peer = _new_name(rest.next()) if word == "name" else _place(word)
    check_device_name(peer)
    if peer in (*namespace.interfaces, name):
        raise UsageError("RTNETLINK answers: File exists", f"there is a {peer}")
    macs = namespace.chance.stream(f"{namespace.name} {name} veth macs")
    one = PairDevice(namespace.scheduler, name, mac or Mac(b"\x02" + macs.randbytes(5)))
    other = PairDevice(namespace.scheduler, peer, Mac(b"\x02" + macs.randbytes(5)))
    pair_up(one, other)
    namespace.add_device(other)
    namespace.add_device(one)


def _delete(namespace: Namespace, words: list[str]) -> None:
    read = WordReader([word for word in words if word != "dev"])
    name = device_name(namespace, read.next())
    device = namespace.interface(name).device
    if device.kind not in _KINDS:
        raise UsageError(_NOT_SUPPORTED, f"{name} is no bridge, VLAN or veth")
    if name in namespace.bridges:
        for port in tuple(namespace.bridges[name].ports):
            namespace.release(port.device.name)
    peer = device.peer if isinstance(device, PairDevice) else None
    namespace.remove_device(name)
    if peer is not None and peer.owner == namespace.name:
        namespace.remove_device(peer.name)


# -- set


def _set(namespace: Namespace, words: list[str]) -> None:
    read = WordReader(words)
    if not read:
        raise UsageError(
            'Not enough information: "dev" argument is required.', "ip link set DEV up"
        )
    word = read.next()
    name = device_name(namespace, _place(read.next() if word == "dev" else word))
    while read:
        word = read.next()
        if word == "type":
            return _set_type(namespace, name, read)
        name = _set_one(namespace, name, word, read)
    return None


def _set_one(namespace: Namespace, name: str, word: str, read: WordReader) -> str:
    """One keyword of ``ip link set``; returns what the device is called from then on."""
    match word:
        case "up":
            namespace.set_up(name)
        case "down":
            namespace.set_down(name)
        case "mtu":
            namespace.set_mtu(name, _mtu(read.next()))
        case "address":
            mac = hardware_address(read.next())
            if mac[0] & 1 or not any(mac):
                raise UsageError("RTNETLINK answers: Cannot assign requested address")
            namespace.set_mac(name, mac)
        case "name":
            new = _new_name(read.next())
            if new in namespace.interfaces:
                raise UsageError("RTNETLINK answers: File exists", f"there is a {new}")
            namespace.rename(name, new)
            return new
        case "arp":
            namespace.set_flags(name, arp=on_or_off("arp", read.next()))
        case "multicast":
            namespace.set_flags(name, multicast=on_or_off("multicast", read.next()))
        case "master":
            _set_master(namespace, name, read.next())
        case "nomaster":
            if namespace.master_of(name) is not None:
                namespace.release(name)
        case _:
            raise UsageError(f'Error: either "dev" is duplicate, or {quote(word)} is a garbage.')
    return name


def _set_master(namespace: Namespace, name: str, bridge: str) -> None:
    """Unlike brctl(8), ip takes a port out of the bridge that it is in."""
    if bridge not in namespace.interfaces:
        raise UsageError(f'Error: argument "{bridge}" is wrong: Device does not exist')
    if bridge not in namespace.bridges:
        raise UsageError(_NOT_SUPPORTED, f"{bridge} is no bridge")
    if namespace.master_of(name) is not None:
        namespace.release(name)
    namespace.enslave(name, bridge)


def _set_type(namespace: Namespace, name: str, read: WordReader) -> None:
    kind = read.next()
    if kind == "bridge" and name in namespace.bridges:
        return set_bridge(namespace.bridges[name], read)
    master = namespace.master_of(name)
    if kind == "bridge_slave" and master is not None:
        port = master.port_of(namespace.interface(name).device)
        assert port is not None
        return set_bridge_port(port, read)
    hint = "type bridge is for bridges, type bridge_slave for their ports"
    raise UsageError(_NOT_SUPPORTED, hint)


def _check(options: Mapping[str, str], known: Sequence[str] | Mapping[str, object]) -> None:
    for key in options:
        if key not in known:
            hint = did_you_mean(key, list(known), "there are")
            raise UsageError(f'vlan: unknown command "{key}"?', hint)


def _mtu(text: str) -> int:
    size = _number(text, 'Invalid "mtu" value')
    if not 68 <= size <= 65_535:
        bound = "less than device minimum" if size < 68 else "greater than device maximum"
        raise UsageError(f"Error: mtu {bound}.", "68 to 65535")
    return size


def _number(text: str, fault: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 10):
        raise UsageError(f'Error: argument "{text}" is wrong: {fault}')
    return int(text)
