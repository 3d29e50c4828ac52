"""Cables that can be pulled, that take less than the cards at their ends, or shape what comes from
a card that has queues of its own.

One veth pair cannot lose its carrier at both ends and leave both devices up, and what it takes is
what its devices take. So such a cable is two pairs, whose far ends lie in a namespace of their own
and hand each other all that they get. Where those are down, the cable is out.
"""

from __future__ import annotations

from vnet.live.kernel import namespaces, offload, sysctls
from vnet.live.kernel.devices import Devices
from vnet.live.kernel.errors import KernelError
from vnet.live.kernel.netlink import Netlink
from vnet.live.kernel.plan import Plan
from vnet.live.kernel.programs import run_program

NODE = "-wires"
"""Where the far ends are, and those of cards without a cable. No node has such a name."""

_DEFAULT_IPV6 = "net.ipv6.conf.default.disable_ipv6"


class Wires:
    """The far ends of those cables of ``plan`` that have any, numbered as the cables are."""

    def __init__(self, plan: Plan, netlink: Netlink) -> None:
        self._plan = plan
        self._netlink = netlink

    @property
    def are_needed(self) -> bool:
        """Whether there is anything to be in the namespace."""
        return bool(self._plan.loose) or any(c.has_far_ends for c in self._plan.cables)

    def add(self, devices: Devices) -> None:
        """Make the far ends, which are down."""
        namespace = self._netlink.namespace(NODE)
        with namespaces.inside(namespace):
            list(sysctls.apply({_DEFAULT_IPV6: "1"}, frozenset()))
        for number, end in enumerate(self._plan.loose):
            devices.add_far_end(end, namespace, f"loose{number}")
        for number, cable in enumerate(self._plan.cables):
            if cable.has_far_ends:
                one, other = _names(number)
                for end, name in zip(cable.ends, (one, other), strict=True):
                    devices.add_far_end(end, namespace, name, cable.mtu_bytes)
                self._join(one, other)

    def _join(self, one: str, other: str) -> None:
        """What comes in by either leaves by the other."""
        with namespaces.inside(self._netlink.namespace(NODE)):
            offload.switch_off([one, other])
            for source, target in ((one, other), (other, one)):
                _tc(f"qdisc add dev {source} ingress")
                _tc(
                    f"filter add dev {source} parent ffff: protocol all u32 match u32 0 0 "
                    f"action mirred egress redirect dev {target}"
                )

    def start(self) -> None:
        """Plug in all that shall be plugged in."""
        for number, cable in enumerate(self._plan.cables):
            if cable.has_far_ends and cable.up:
                self.set_up(number, True)

    def set_up(self, number: int, up: bool) -> None:
        """Plug a cable in that has far ends, or pull it."""
        for name in _names(number):
            found = self._netlink.socket(NODE).link_lookup(ifname=name)
            state = "up" if up else "down"
            self._netlink.link(NODE, f"{name} {state}", "set", index=found[0], state=state)

    def shape(self, number: int, which: int, words: list[str]) -> None:
        """Give a cable a queue for what comes from one of its ends: where it leaves the other."""
        with namespaces.inside(self._netlink.namespace(NODE)):
            _tc(" ".join(("qdisc add dev", _names(number)[1 - which], *words)))


def _names(number: int) -> tuple[str, str]:
    return f"cable{number}a", f"cable{number}b"


def _tc(words: str) -> None:
    done = run_program(["tc", *words.split()])
    if done.returncode:
        raise KernelError(f"tc {words}: {done.stderr.strip()}")
