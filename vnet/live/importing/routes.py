"""Routes and rules in the words of a topology. What follows from addresses is not said again."""

from __future__ import annotations

import socket

from vnet.live.importing.cards import Entry
from vnet.live.importing.devices import Plan
from vnet.live.importing.machine import TABLE_LOCAL, TABLE_MAIN, Hop, Machine, Route, Rule

_MADE_BY_REDIRECT, _MADE_BY_KERNEL, _MADE_BY_ADVERTISEMENT = 1, 2, 9
_KINDS = {1: "unicast", 2: "local", 6: "blackhole", 7: "unreachable", 8: "prohibit", 9: "throw"}
_UNICAST, _MULTICAST = 1, 5
_IPV6_METRIC = 1024
_EVERYWHERE = ("0.0.0.0/0", "::/0")

_TO_TABLE, _GOTO = 1, 2
_ACTIONS = {3: "nop", 6: "blackhole", 7: "unreachable", 8: "prohibit"}
_USUAL_RULES = {(0, TABLE_LOCAL), (32_766, TABLE_MAIN), (32_767, 253)}
_IPV6_USUAL_RULES = {(0, TABLE_LOCAL), (32_766, TABLE_MAIN)}
_ALL_BITS = 0xFFFF_FFFF


def routes(machine: Machine, made: Plan, notes: list[str]) -> list[Entry]:
    """Routes of all tables; those that gateways are reached by come first."""
    entries = [
        _route(machine, made, one, notes) for one in machine.routes if _is_anybodys(one, notes)
    ]
    said = [entry for entry in entries if entry is not None]
    return sorted(said, key=lambda entry: "via" in entry or "nexthops" in entry)


def _is_anybodys(route: Route, notes: list[str]) -> bool:
    """Whether somebody set it; the kernel makes others from addresses, by itself."""
    if route.made_by in (_MADE_BY_KERNEL, _MADE_BY_REDIRECT) or route.table == TABLE_LOCAL:
        return False
    if route.made_by == _MADE_BY_ADVERTISEMENT:
        notes.append(f"the route to {_target(route)} is a router's advertisement's, and left to it")
        return False
    return route.kind != _MULTICAST


def _target(route: Route) -> str:
    return "default" if route.target in _EVERYWHERE else route.target


def _route(machine: Machine, made: Plan, route: Route, notes: list[str]) -> Entry | None:
    kind = _KINDS.get(route.kind)
    hops = route.hops if route.kind == _UNICAST else ()
    gone = [link for hop in hops if (link := _lost(machine, made, hop)) is not None]
    if kind is None or gone:
        why = f"goes by {gone[0]}" if gone else "is of a kind that a topology cannot say"
        notes.append(f"the route to {_target(route)} {why}, and is not carried over")
        return None
    if route.has_more:
        said = ", ".join(route.has_more)
        notes.append(f"of the route to {_target(route)} {said} is not carried over")
    return {"to": _said_target(route), **_ways(made, hops), **_options(route, kind)}


def _said_target(route: Route) -> str:
    """``default`` is IPv4's or IPv6's as its gateway tells; without one it must be written out."""
    has_gateway = any(hop.gateway for hop in route.hops)
    return "default" if has_gateway and route.target in _EVERYWHERE else route.target


def _lost(machine: Machine, made: Plan, hop: Hop) -> str | None:
    """A device that the lab does not have, by its name here."""
    if made.name(hop.index) is not None:
        return None
    link = machine.link(hop.index)
    return f"device {hop.index}" if link is None else link.name


def _ways(made: Plan, hops: tuple[Hop, ...]) -> Entry:
    if len(hops) > 1:
        return {"nexthops": [_hop(made, hop) | _weight(hop) for hop in hops]}
    return {} if not hops else _hop(made, hops[0]) | ({"onlink": True} if hops[0].onlink else {})


def _hop(made: Plan, hop: Hop) -> Entry:
    way: Entry = {"via": hop.gateway} if hop.gateway else {}
    return way | {"dev": made.name(hop.index)}


def _weight(hop: Hop) -> Entry:
    return {} if hop.weight == 1 else {"weight": hop.weight}


def _options(route: Route, kind: str) -> Entry:
    entry: Entry = {}
    if kind != "unicast":
        entry["type"] = kind
    usual_metric = _IPV6_METRIC if route.family == socket.AF_INET6 else 0
    if route.metric != usual_metric:
        entry["metric"] = route.metric
    if route.table != TABLE_MAIN:
        entry["table"] = route.table
    if route.source:
        entry["src"] = route.source
    if route.tos:
        entry["tos"] = route.tos
    if route.mtu_bytes:
        entry["mtu"] = route.mtu_bytes
    return entry


def rules(machine: Machine, made: Plan, notes: list[str]) -> list[Entry]:
    """Rules besides the three, or for IPv6 two, that every machine has."""
    found = []
    for family, usual in ((socket.AF_INET, _USUAL_RULES), (socket.AF_INET6, _IPV6_USUAL_RULES)):
        here = [one for one in machine.rules if one.family == family]
        plain = {(one.priority, one.table) for one in here if _is_plain(one)}
        if here and not usual <= plain:
            version = 4 if family == socket.AF_INET else 6
            notes.append(
                f"a rule of IPv{version} that every machine begins with is gone; it is back"
            )
        for one in here:
            if _is_plain(one) and (one.priority, one.table) in usual:
                continue
            entry = _rule(made, one, notes)
            if entry is not None:
                found.append(entry)
    return found


def _is_plain(rule: Rule) -> bool:
    chosen = (rule.source, rule.target, rule.iif, rule.oif, rule.mark, rule.tos, rule.is_not)
    return rule.action == _TO_TABLE and not any(chosen)


def _rule(made: Plan, rule: Rule, notes: list[str]) -> Entry | None:
    if rule.has_more or rule.action not in (_TO_TABLE, _GOTO, *_ACTIONS):
        what = ", ".join(rule.has_more) or f"its action {rule.action}"
        notes.append(f"the rule {rule.priority} is not carried over: a topology cannot say {what}")
        return None
    entry: Entry = {"priority": rule.priority}
    if not rule.source and not rule.target:
        entry["family"] = 4 if rule.family == socket.AF_INET else 6
    if rule.is_not:
        entry["not"] = True
    renamed = {link: made.names.get(index, link) for index, link in _names(made).items()}
    for key, value in (("from", rule.source), ("to", rule.target)):
        if value:
            entry[key] = value
    for key, device in (("iif", rule.iif), ("oif", rule.oif)):
        if device:
            entry[key] = renamed.get(device, device)
    if rule.mark or rule.mask:
        mask = "" if rule.mask == _ALL_BITS else f"/{rule.mask:#x}"
        entry["fwmark"] = f"{rule.mark:#x}{mask}"
    if rule.tos:
        entry["tos"] = rule.tos
    return entry | _outcome(rule)


def _names(made: Plan) -> dict[int, str]:
    """The names that guests' back ends have here, by index."""
    return {link.index: link.name for guest in made.guests for link in guest.back_ends}


def _outcome(rule: Rule) -> Entry:
    entry: Entry = {}
    if rule.action == _TO_TABLE:
        entry["table"] = rule.table
    elif rule.action == _GOTO:
        entry["goto"] = rule.goto
    else:
        entry["action"] = _ACTIONS[rule.action]
    if rule.suppressed_length is not None:
        entry["suppress_prefixlength"] = rule.suppressed_length
    return entry


def note_neighbors(machine: Machine, notes: list[str]) -> None:
    """Neighbours that were put there by hand, which a topology cannot."""
    for one in machine.neighbors:
        link = machine.link(one.index)
        if one.is_permanent and link is not None:
            place = f"{one.ip} lladdr {one.mac} dev {link.name}"
            notes.append(f"the permanent neighbour {place} is not carried over")
