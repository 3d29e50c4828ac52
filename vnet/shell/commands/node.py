"""The real tools' commands on a node: ip, sysctl.

As the real one, ``ip`` takes any word that begins an object's name (``ip a``) and ``show`` may be
left out. What it changes holds until the lab ends; the topology file says what it begins with.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from vnet.base.errors import UsageError
from vnet.base.text import did_you_mean, one_of, quote
from vnet.linux.netns.interface import Interface
from vnet.linux.netns.namespace import Namespace
from vnet.linux.netns.sysctl.names import names_of
from vnet.shell.commands import ip_address, ip_neighbor
from vnet.shell.commands.ip_link import change_link
from vnet.shell.commands.ip_route import ip_route
from vnet.shell.commands.ip_rule import ip_rule
from vnet.shell.context import ShellContext, Words
from vnet.shell.options import Arguments, Option, take_options
from vnet.shell.output import Output
from vnet.shell.registry import Group, NodeUse, command
from vnet.shell.sysctl import run_sysctl
from vnet.shell.views.address import addresses_text, brief_addresses_text
from vnet.shell.views.groups import groups_text
from vnet.shell.views.link import brief_links_text, interfaces_of, links_text
from vnet.shell.views.link_details import detail_lines
from vnet.shell.views.neighbor import neighbors_text, proxied_text

_SHOW = ("show", "list", "lst", "ls")

_Given = Mapping[str, Any]
"""The options before an object."""

_DEVICES = ("dev", "up!", "master", "type", "")

_Filters = Mapping[str, str]
"""The keywords after ``show`` with their values; ``up`` has an empty one, and a word that
belongs to no keyword stands under ""."""


def _chosen(tool: str, objects: Sequence[str], words: Sequence[str]) -> tuple[str, list[str]]:
    """The object that the first word begins, and what stands behind its ``show``."""
    if not words:
        raise UsageError(f"{tool}: which object?", f"one of {one_of(objects)}")
    first, *rest = words
    named = next((name for name in objects if name.startswith(first)), None)
    if named is None:
        hint = did_you_mean(first, objects, "it shows")
        raise UsageError(f"{tool}: there is no object {quote(first)}", hint)
    if rest and any(show.startswith(rest[0]) for show in _SHOW):
        rest = rest[1:]
    return named, rest


def _filters(tool: str, words: Sequence[str], keywords: Sequence[str]) -> _Filters:
    """Read ``dev eth0 up`` and the like; a keyword that ends in ``!`` takes no value."""
    found: dict[str, str] = {}
    waiting = list(reversed(words))
    while waiting:
        word = waiting.pop()
        if f"{word}!" in keywords:
            found[word] = ""
        elif word in keywords:
            if not waiting:
                raise UsageError(f"{tool}: {word} wants a value")
            found[word] = waiting.pop()
        elif "" in found or "" not in keywords:
            known = [keyword.rstrip("!") for keyword in keywords if keyword]
            raise UsageError(f"{tool}: {quote(word)} is out of place", f"it takes {one_of(known)}")
        else:
            found[""] = word
    return found


# -- ip


@command(
    "ip",
    "[-4|-6] [-br] addr|link|route|rule|neigh|maddr [show|add|del|set ...] [[dev] DEV] [up] ...",
    "addresses, devices, routes and neighbours, as ip(8) shows them; devices also as it sets them",
    group=Group.NODE,
    node=NodeUse.PREFIX,
    words=(2, None),
    examples=[
        "h1 ip addr",
        "h1 ip -br link",
        "vm1 ip -4 addr show dev eth0",
        "vm1 ip route",
        "vm1 ip route get 10.0.0.9",
        "vm1 ip route add 10.9.0.0/16 via 10.0.0.254",
        "vm1 ip rule add from 10.0.1.0/24 table 100",
        "vm1 ip -6 route",
        "h1 ip link show master xenbr0",
        "h1 ip link add link eth0 name eth0.10 type vlan id 10",
        "h1 ip link set xenbr0 type bridge vlan_filtering 1",
        "on vm1 ip neigh",
    ],
    completes=[
        Words(),
        Words("addr", "link", "route", "rule", "neigh", "maddr"),
        Words("show", "dev"),
    ],
)
def ip(context: ShellContext, arguments: Arguments) -> Output:
    """Object names may be cut short, as everybody does: ``ip a``, ``ip -br l``, ``ip r``."""
    node, *words = arguments.words
    namespace = context.namespace(node)
    options = {
        "-4": Option("family", value=4),
        "-6": Option("family", value=6),
        "-br": Option("brief"),
        "-brief": Option("brief"),
        "-d": Option("details"),
        "-details": Option("details"),
    }
    before = 0
    while before < len(words) and words[before].startswith("-"):
        before += 1
    _, given = take_options("ip", words[:before], options)
    named, rest = _chosen("ip", list(_IP_OBJECTS), words[before:])
    return _IP_OBJECTS[named](namespace, rest, given)


def _ip_address(namespace: Namespace, words: Sequence[str], given: _Given) -> str:
    if change := _change_in(words, ip_address.CHANGES):
        return ip_address.change_address(namespace, change, words[1:])
    filters = _filters("ip addr", words, _DEVICES)
    device = filters.get("dev", filters.get(""))
    shown = _devices(namespace, filters)
    family = given.get("family")
    if "brief" in given:
        return brief_addresses_text(shown, family=family)
    return addresses_text(shown, family=family, one_device=device is not None)


def _devices(namespace: Namespace, filters: _Filters) -> list[Interface]:
    return interfaces_of(
        namespace,
        device=filters.get("dev", filters.get("")),
        master=filters.get("master"),
        only_up="up" in filters,
        kind=filters.get("type"),
    )


def _change_in(words: Sequence[str], changes: Sequence[str]) -> str | None:
    """The change that the first word begins, or None where something is to be shown."""
    first = words[0] if words else ""
    return first if first and any(c.startswith(first) for c in changes) else None


def _ip_link(namespace: Namespace, words: Sequence[str], given: _Given) -> str:
    if words and words[0] in ("add", "del", "delete", "set"):
        return change_link(namespace, words[0], words[1:])
    shown = _devices(namespace, _filters("ip link", words, _DEVICES))
    if "brief" in given:
        return brief_links_text(shown)
    return links_text(shown, details=detail_lines if "details" in given else None)


def _ip_route(namespace: Namespace, words: Sequence[str], given: _Given) -> str:
    return ip_route(namespace, words, given.get("family"), details="details" in given)


def _ip_rule(namespace: Namespace, words: Sequence[str], given: _Given) -> str:
    return ip_rule(namespace, words, given.get("family"), details="details" in given)


def _ip_neighbor(namespace: Namespace, words: Sequence[str], given: _Given) -> str:
    if change := _change_in(words, ip_neighbor.CHANGES):
        return ip_neighbor.change_neighbor(namespace, change, words[1:])
    filters = _filters("ip neigh", words, ("dev", "proxy!"))
    if "proxy" in filters:
        return proxied_text(namespace)
    return neighbors_text(namespace, family=given.get("family"), device=filters.get("dev"))


def _ip_netns(_namespace: Namespace, words: Sequence[str], _given: _Given) -> str:
    """Namespaces with names: a lab's machines have none besides their own."""
    if words:
        raise UsageError(f'Command "{words[0]}" is unknown, try "ip netns".', "give it a VM")
    return ""


def _ip_maddress(namespace: Namespace, words: Sequence[str], given: _Given) -> str:
    filters = _filters("ip maddr", words, ("dev", ""))
    device = filters.get("dev", filters.get(""))
    return groups_text(namespace, family=given.get("family"), device=device)


_IpView = Callable[[Namespace, Sequence[str], _Given], str]
_IP_OBJECTS: dict[str, _IpView] = {
    "address": _ip_address,
    "link": _ip_link,
    "route": _ip_route,
    "rule": _ip_rule,
    "neighbour": _ip_neighbor,
    "neighbor": _ip_neighbor,
    "maddress": _ip_maddress,
    "netns": _ip_netns,
}


# -- sysctl


def _settings(context: ShellContext, words: Sequence[str]) -> Iterable[str]:
    return names_of(context.namespace(words[0]).interfaces)


@command(
    "sysctl",
    "[-n] [-N] [-e] [-q] [-b] -a [-r PATTERN] | KEY... | [-w] KEY=VALUE...",
    "show or set the knobs of a machine's IP stack",
    group=Group.NODE,
    node=NodeUse.PREFIX,
    words=(1, None),
    options={
        "-a": Option("all"),
        "-w": Option("write"),
        "-n": Option("values"),
        "-N": Option("names"),
        "-e": Option("ignore"),
        "-q": Option("quiet"),
        "-b": Option("binary"),
        "-r": Option("pattern", str),
    },
    examples=[
        "vm1 sysctl -a",
        "vm1 sysctl net.ipv4.ip_forward",
        "vm1 sysctl -w net.ipv4.icmp_echo_ignore_all=1",
    ],
    completes=[Words(), _settings],
)
def sysctl(context: ShellContext, arguments: Arguments) -> Output:
    """-n shows values only, -N names only; -e passes over unknown ones, -q shows no settings, and
    PATTERN is a regular expression. A directory, as net.ipv4.conf.all, stands for what is in it.
    """
    node, *words = arguments.words
    return run_sysctl(context.namespace(node).sysctls, words, arguments.options)
