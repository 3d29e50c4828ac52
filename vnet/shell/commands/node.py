"""The real tools' commands on a node: ip, sysctl.

As the real one, ``ip`` takes any word that begins an object's name (``ip a``) and ``show`` may be
left out. It shows; what changes a node is the topology file, and here ``bridge``, ``sysctl -w`` and
``link``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from vnet.base.errors import UsageError
from vnet.base.text import did_you_mean, one_of, quote
from vnet.linux.netns.namespace import Namespace
from vnet.linux.netns.sysctl.names import names_of
from vnet.shell.commands.ip_link import change_link
from vnet.shell.context import ShellContext, Words
from vnet.shell.options import Arguments, Option, take_options
from vnet.shell.output import Output
from vnet.shell.registry import Group, NodeUse, command
from vnet.shell.views.address import addresses_text, brief_addresses_text
from vnet.shell.views.link import brief_links_text, interfaces_of, links_text
from vnet.shell.views.neighbor import neighbors_text
from vnet.shell.views.route import RouteFilter, routes_text, table_number
from vnet.shell.views.sysctl import sysctls_text

_SHOW = ("show", "list", "lst", "ls")

_CHANGES = ("add", "del", "delete", "change", "replace", "set", "flush", "get")

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
    elif rest and rest[0] in _CHANGES and named != "link":
        raise UsageError(
            f"{tool} {named} {rest[0]}: {tool} only shows here", f"try {tool} {first} show"
        )
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
    "[-4|-6] [-br] addr|link|route|neigh [show|add|del|set ...] [[dev] DEV] [up] [master BR]",
    "addresses, devices, routes and neighbours, as ip(8) shows them; devices also as it sets them",
    group=Group.NODE,
    node=NodeUse.PREFIX,
    words=(2, None),
    examples=[
        "h1 ip addr",
        "h1 ip -br link",
        "vm1 ip -4 addr show dev eth0",
        "vm1 ip route",
        "vm1 ip -6 route",
        "h1 ip link show master xenbr0",
        "h1 ip link add link eth0 name eth0.10 type vlan id 10",
        "h1 ip link set xenbr0 type bridge vlan_filtering 1",
        "on vm1 ip neigh",
    ],
    completes=[Words(), Words("addr", "link", "route", "neigh"), Words("show", "dev")],
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
    }
    before = 0
    while before < len(words) and words[before].startswith("-"):
        before += 1
    _, given = take_options("ip", words[:before], options)
    named, rest = _chosen("ip", list(_IP_OBJECTS), words[before:])
    return _IP_OBJECTS[named](namespace, rest, given.get("family"), "brief" in given)


def _ip_address(namespace: Namespace, words: Sequence[str], family: int | None, brief: bool) -> str:
    filters = _filters("ip addr", words, ("dev", "up!", "master", ""))
    device = filters.get("dev", filters.get(""))
    shown = interfaces_of(
        namespace, device=device, master=filters.get("master"), only_up="up" in filters
    )
    if brief:
        return brief_addresses_text(shown, family=family)
    return addresses_text(shown, family=family, one_device=device is not None)


def _ip_link(namespace: Namespace, words: Sequence[str], _family: int | None, brief: bool) -> str:
    if words and words[0] in ("add", "del", "delete", "set"):
        return change_link(namespace, words[0], words[1:])
    filters = _filters("ip link", words, ("dev", "up!", "master", ""))
    shown = interfaces_of(
        namespace,
        device=filters.get("dev", filters.get("")),
        master=filters.get("master"),
        only_up="up" in filters,
    )
    return brief_links_text(shown) if brief else links_text(shown)


def _ip_route(namespace: Namespace, words: Sequence[str], family: int | None, _brief: bool) -> str:
    filters = _filters("ip route", words, ("dev", "table", ""))
    table = table_number(filters.get("table", "main"))
    shown = RouteFilter(table, filters.get("dev"), filters.get(""))
    return routes_text(namespace, family or 4, shown)


def _ip_neighbor(
    namespace: Namespace, words: Sequence[str], family: int | None, _brief: bool
) -> str:
    filters = _filters("ip neigh", words, ("dev",))
    return neighbors_text(namespace, family=family, device=filters.get("dev"))


_IpView = Callable[[Namespace, Sequence[str], int | None, bool], str]
_IP_OBJECTS: dict[str, _IpView] = {
    "address": _ip_address,
    "link": _ip_link,
    "route": _ip_route,
    "neighbour": _ip_neighbor,
    "neighbor": _ip_neighbor,
}


# -- sysctl


def _settings(context: ShellContext, words: Sequence[str]) -> Iterable[str]:
    return names_of(context.namespace(words[0]).interfaces)


@command(
    "sysctl",
    "-a | KEY... | [-w] KEY=VALUE...",
    "show or set the knobs of a machine's IP stack",
    group=Group.NODE,
    node=NodeUse.PREFIX,
    words=(1, None),
    options={"-a": Option("all"), "-w": Option("write")},
    examples=[
        "vm1 sysctl -a",
        "vm1 sysctl net.ipv4.ip_forward",
        "vm1 sysctl -w net.ipv4.icmp_echo_ignore_all=1",
    ],
    completes=[Words(), _settings],
)
def sysctl(context: ShellContext, arguments: Arguments) -> Output:
    """A misspelt one is an error, and so is one of a device that is not there."""
    node, *words = arguments.words
    sysctls = context.namespace(node).sysctls
    if "all" in arguments.options:
        return sysctls_text(sysctls)
    if not words:
        raise UsageError("sysctl: which key?", "sysctl -a lists them")
    lines = []
    for word in words:
        key, equals, value = word.partition("=")
        try:
            key = sysctls.find(key).text
            if equals:
                sysctls[key] = value
        except UsageError as refused:
            raise UsageError(f"sysctl: {refused}") from None
        if not equals and "write" in arguments.options:
            raise UsageError(f"sysctl -w: {quote(word)} sets nothing", f"write {word}=VALUE")
        lines.append(sysctls_text(sysctls, [key]))
    return "\n".join(lines)
