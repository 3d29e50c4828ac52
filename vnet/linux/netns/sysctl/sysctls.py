"""All settings of a namespace, by name and by attribute."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from vnet.base.errors import UsageError
from vnet.linux.netns.sysctl.bridge import BridgeKnobs
from vnet.linux.netns.sysctl.conntrack import ConntrackKnobs
from vnet.linux.netns.sysctl.ipv4 import Ipv4Conf, Ipv4Knobs, Ipv4RouteKnobs, ipv4_in_force
from vnet.linux.netns.sysctl.ipv6 import Icmp6Knobs, Ipv6Conf, Ipv6Knobs, Ipv6RouteKnobs
from vnet.linux.netns.sysctl.knob import Value, changed, combined, knobs_of
from vnet.linux.netns.sysctl.names import (
    ALL,
    CONNECTIONS,
    DEFAULT,
    SettingName,
    names_of,
    nearest_name,
    parse_setting,
)
from vnet.linux.netns.sysctl.neighbor import ARP_DEFAULTS, ND_DEFAULTS, NeighborConf
from vnet.linux.netns.sysctl.tree import DeviceTree
from vnet.linux.netns.sysctl.value import parse_value, text_of

ConfT = TypeVar("ConfT")


def _everywhere(group: type[ConfT]) -> ConfT:
    knobs = knobs_of(group)
    return group(**{name: knob.at_all for name, knob in knobs.items()})


# Ten thousand machines set nothing, and then share these.
_BRIDGE, _CONNTRACK = BridgeKnobs(), ConntrackKnobs()
_IPV4, _IPV4_ROUTE = Ipv4Knobs(), Ipv4RouteKnobs()
_IPV6, _ICMP6, _IPV6_ROUTE = Ipv6Knobs(), Icmp6Knobs(), Ipv6RouteKnobs()
_IPV4_ALL, _IPV4_DEFAULT = _everywhere(Ipv4Conf), Ipv4Conf()
_IPV6_ALL, _IPV6_DEFAULT = _everywhere(Ipv6Conf), Ipv6Conf()


class Sysctls:
    """One namespace's settings.

    ``sysctls["net.ipv4.conf.eth0.rp_filter"]`` reads and sets by name; code reads attributes:
    ``sysctls.ipv4.icmp_ratelimit``, or, for what holds on a device, the ``conf4`` and ``conf6``
    of its interface. ``changed`` is called after each change; ``n_connections`` is asked how many
    are tracked.
    """

    __slots__ = (
        "_later",
        "bridge",
        "changed",
        "conntrack",
        "icmp6",
        "ipv4",
        "ipv4_conf",
        "ipv4_neighbors",
        "ipv4_route",
        "ipv6",
        "ipv6_conf",
        "ipv6_neighbors",
        "ipv6_route",
        "n_connections",
    )

    def __init__(self) -> None:
        self.bridge = _BRIDGE
        self.conntrack = _CONNTRACK
        self.ipv4 = _IPV4
        self.ipv4_route = _IPV4_ROUTE
        self.ipv6 = _IPV6
        self.icmp6 = _ICMP6
        self.ipv6_route = _IPV6_ROUTE
        self.ipv4_conf = DeviceTree(_IPV4_ALL, _IPV4_DEFAULT, ipv4_in_force, follow=True)
        self.ipv6_conf = DeviceTree(_IPV6_ALL, _IPV6_DEFAULT, combined, follow=False)
        self.ipv4_neighbors = DeviceTree(ARP_DEFAULTS, ARP_DEFAULTS, _its_own, follow=True)
        self.ipv6_neighbors = DeviceTree(ND_DEFAULTS, ND_DEFAULTS, _its_own, follow=True)
        self.changed: Callable[[], None] = _nobody_asks
        self.n_connections: Callable[[], int] = _none
        self._later: dict[SettingName, Value] = {}

    # -- devices

    def device_added(self, device: str, mtu_bytes: int) -> None:
        """A device appeared: it starts with what ``default`` says, and with what waited for it."""
        for tree in self._trees():
            tree.add(device)
        self.ipv6_conf.set_own(device, "mtu", mtu_bytes)
        for name in [name for name in self._later if name.device == device]:
            self._set(name, self._later.pop(name))

    def device_removed(self, device: str) -> None:
        """A device went."""
        for tree in self._trees():
            tree.remove(device)

    def device_renamed(self, device: str, new: str) -> None:
        """A device has another name."""
        for tree in self._trees():
            tree.rename(device, new)

    def mtu_changed(self, device: str, mtu_bytes: int) -> None:
        """A device has another MTU, and IPv6 follows it."""
        self.ipv6_conf.set_own(device, "mtu", mtu_bytes)
        self.changed()

    def address_added(self, device: str) -> None:
        """An IPv4 address makes a device keep what it has (ipv4_devconf_setall())."""
        self.ipv4_conf.settle(device)
        self.ipv4_neighbors.settle(device)

    def _trees(self) -> tuple[DeviceTree[Any], ...]:
        return self.ipv4_conf, self.ipv6_conf, self.ipv4_neighbors, self.ipv6_neighbors

    # -- by name

    def __getitem__(self, key: str) -> Value:
        name = self.find(key)
        return self.n_connections() if name.text == CONNECTIONS else self._get(name)

    def __setitem__(self, key: str, given: int | str) -> None:
        """Set one. Raises :class:`UsageError` for one that does not exist, or cannot be so."""
        name = self.find(key)
        if name.text == CONNECTIONS:
            raise UsageError(f'sysctl: permission denied on key "{key}"', "it is only read")
        self._set(name, parse_value(name.knob, name.text, given))
        self.changed()

    def set_when_there(self, key: str, given: int | str) -> None:
        """Set one now, or as soon as its device appears, as systemd's udev rules do."""
        name = parse_setting(key)
        if name is None or self._exists(name):
            self[key] = given
        else:
            self._later[name] = parse_value(name.knob, name.text, given)

    def find(self, key: str) -> SettingName:
        """The setting of that name. Raises :class:`UsageError` if there is none here."""
        name = parse_setting(key)
        if name is None:
            near = nearest_name(key, self.ipv4_conf.own)
            hint = f"did you mean {near}?" if near else "`vnet shell` lists them: sysctl -a"
            raise UsageError(f"unknown sysctl {key}", hint)
        if not self._exists(name):
            known = ", ".join(self.ipv4_conf.own)
            raise UsageError(f"unknown sysctl {key}", f"the devices here are {known}")
        return name

    def items(self) -> list[tuple[str, str]]:
        """Every setting with its present value as sysctl(8) shows it, by name."""
        return [(key, self.text(key)) for key in names_of(self.ipv4_conf.own)]

    def text(self, key: str) -> str:
        """A setting as sysctl(8) shows it."""
        return text_of(self[key])

    def _exists(self, name: SettingName) -> bool:
        return not name.is_of_a_device or name.device in self.ipv4_conf.own

    def _get(self, name: SettingName) -> Value:
        holder = getattr(self, name.attribute)
        if name.device == ALL:
            holder = holder.everywhere
        elif name.device == DEFAULT:
            holder = holder.default
        elif name.device is not None:
            holder = holder.own[name.device]
        value: Value = getattr(holder, name.knob.name)
        return value // name.unit if isinstance(value, int) else value

    def _set(self, name: SettingName, value: Value) -> None:
        knob = name.knob.name
        if isinstance(value, int):
            value *= name.unit
        holder = getattr(self, name.attribute)
        if name.device is None:
            setattr(self, name.attribute, changed(holder, knob, value))
        elif name.device == ALL and holder is self.ipv4_conf and knob == "forwarding":
            self._forward_ipv4(value)
        elif name.device == ALL:
            holder.set_all(knob, value)
        elif name.device == DEFAULT:
            holder.set_default(knob, value)
        else:
            holder.set_own(name.device, knob, value)

    def _forward_ipv4(self, value: Value) -> None:
        # Setting the same again changes nothing, else it is a new role: routers do not believe
        # redirects, hosts do.
        if value != self.ipv4_conf.everywhere.forwarding:
            self.ipv4_conf.set_all("forwarding", value)
            self.ipv4_conf.set_all("accept_redirects", int(not value))


def _its_own(_everywhere: NeighborConf, own: NeighborConf) -> NeighborConf:
    return own


def _nobody_asks() -> None:
    return None


def _none() -> int:
    return 0
