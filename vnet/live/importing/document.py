"""A machine as the text of a topology file, with comments on what it could not say."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from io import StringIO
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.scalarstring import LiteralScalarString

from vnet.base.errors import Problem, TopologyError, UsageError
from vnet.base.text import escaped
from vnet.lab.lab import Lab
from vnet.live.importing.bridges import bridge
from vnet.live.importing.cards import Entry, card, guest, note_lost_addresses, vlan
from vnet.live.importing.devices import Plan, plan
from vnet.live.importing.machine import Link, Machine
from vnet.live.importing.routes import note_neighbors, routes, rules
from vnet.live.importing.settings import FORWARDING, differing
from vnet.topology.load import parse_topology

_ALWAYS = (
    "who made a route (proto), the ends of connections, and rules of nftables",
    "queueing disciplines, and the rates and delays of cables",
)
_NEVER_SHORT = ("hosts", "vms", "switches", "nics", "vlans", "ports", "sysctls")
_WIDTH = 100


@dataclass(frozen=True)
class Imported:
    """The text of a topology file, and what it does not have of the machine."""

    text: str
    notes: tuple[str, ...]


def imported(machine: Machine) -> Imported:
    """A machine as a topology of one host. It loads, for it was loaded to find the settings."""
    made = plan(machine)
    notes: list[str] = []
    host = node_name(machine.name)
    entry = _host(machine, made, notes)
    content: Entry = {"version": 1, "hosts": {host: entry}}
    content |= _guests(machine, made, host, notes)
    content |= _wires(made, host)
    _leave_out_what_does_not_load(content, host, notes)
    _add_settings(machine, made, content, host, notes)
    notes += [f"{_called(machine, index)}: {why}" for index, why in sorted(made.lost.items())]
    note_lost_addresses(machine, made, notes)
    note_neighbors(machine, notes)
    _note_down(made, notes)
    told = tuple(dict.fromkeys(escaped(note) for note in notes))
    return Imported(_text(machine, made, content, told), told)


def node_name(name: str) -> str:
    """A machine's name as a topology may have it: the first part of a host's."""
    fit = re.sub("[^A-Za-z0-9_-]", "-", name.partition(".")[0]).lstrip("-_")
    return fit[:40] or "host"


def _host(machine: Machine, made: Plan, notes: list[str]) -> Entry:
    entry: Entry = (
        {"hypervisor": "xen", "style": "enslaved"} if made.is_xen else {"hypervisor": "kvm"}
    )
    sections: Entry = {
        "nics": {link.name: card(machine, link, notes) for link in made.cards},
        "vlans": {link.name: vlan(machine, made, link, notes) for link in made.vlans},
        "switches": {link.name: bridge(machine, made, link, notes) for link in made.bridges},
        "veths": [_pair(machine, *pair) for pair in made.pairs],
        "routes": routes(machine, made, notes),
        "rules": rules(machine, made, notes),
        **{key: LiteralScalarString(text) for key, text in machine.netfilter.items()},
    }
    return entry | {key: value for key, value in sections.items() if value}


def _pair(machine: Machine, *ends: Link) -> Entry:
    return {end.name: _called(machine, end.master) for end in ends}


def _called(machine: Machine, index: int) -> str:
    link = machine.link(index)
    return f"device {index}" if link is None else link.name


def _guests(machine: Machine, made: Plan, host: str, notes: list[str]) -> Entry:
    entries = {one.name: guest(machine, one, host, notes) for one in made.guests}
    for one in made.guests:
        for link in one.back_ends:
            if made.names[link.index] != link.name:
                notes.append(f"{link.name} is called {made.names[link.index]} in the lab")
    return {"vms": entries} if entries else {}


def _wires(made: Plan, host: str) -> Entry:
    """A switch behind each card that has a carrier, since a card alone has none."""
    joined = {end.index for pair in made.cables for end in pair}
    links = [{"ends": [f"{host}:{a.name}", f"{host}:{b.name}"]} for a, b in made.cables]
    switches: Entry = {}
    wire_of: dict[int, str] = {}
    for link in made.cards:
        if link.index in joined or not (link.has_carrier or link.is_up):
            continue
        wire = wire_of.get(link.link) if link.kind in ("macvlan", "ipvlan") else None
        if wire is None:
            wire = f"wire-{link.name}"
            switches[wire] = None
        wire_of[link.index] = wire
        port = f"p{sum(1 for known in wire_of.values() if known == wire)}"
        if link.has_carrier:
            links.append({"ends": [f"{host}:{link.name}", f"{wire}:{port}"]})
    return {key: value for key, value in (("switches", switches), ("links", links)) if value}


def _leave_out_what_does_not_load(content: Entry, host: str, notes: list[str]) -> None:
    """The kernel keeps routes whose gateways it cannot reach any more; a topology does not.

    Raises ``UsageError`` where what is left is no topology either.
    """
    problems = _problems(content)
    machine = content["hosts"][host]
    for key in ("routes", "rules") if problems else ():
        entries, machine[key] = machine.get(key, []), []
        for entry in entries:
            machine[key].append(entry)
            problems = _problems(content)
            if problems:
                machine[key].pop()
                notes.append(f"of the {key} {entry} is not carried over: {problems[0].what}")
    problems = _problems(content)
    for key in ("iptables", "ip6tables"):
        if problems and machine.pop(key, None) is not None:
            notes.append(f"the rules of {key} are not carried over: {problems[0].what}")
            problems = _problems(content)
    if problems:
        raise UsageError(f"what was read makes no topology: {problems[0].what}")


def _problems(content: Mapping[str, Any]) -> tuple[Problem, ...]:
    try:
        parse_topology(_yaml(content))
    except TopologyError as error:
        return error.problems
    return ()


def _add_settings(
    machine: Machine, made: Plan, content: Entry, host: str, notes: list[str]
) -> None:
    """Settings that differ from the lab's own, once it forwards as the machine does."""
    found = differing(machine, made, _settings_of(content, host), [])
    said = {name: found[name] for name in FORWARDING if name in found}
    _say(content, host, said)
    said |= differing(machine, made, _settings_of(content, host), notes)
    _say(content, host, said)
    left = differing(machine, made, _settings_of(content, host), [])
    notes += [f"sysctl {name} = {text} does not hold in the lab" for name, text in left.items()]


def _say(content: Entry, host: str, settings: Mapping[str, str]) -> None:
    if settings:
        content["hosts"][host]["sysctls"] = {
            name: int(text) if text.isdecimal() else text for name, text in settings.items()
        }


def _settings_of(content: Mapping[str, Any], host: str) -> dict[str, str]:
    with Lab.from_text(_yaml(content)) as lab:
        machine = lab.network.machine(host)
        assert machine is not None
        return dict(machine.namespace.sysctls.items())


def _note_down(made: Plan, notes: list[str]) -> None:
    for link in (*made.cards, *made.bridges, *made.vlans):
        if not link.is_up:
            notes.append(f"{link.name} is down; a lab's devices are up")


def _text(machine: Machine, made: Plan, content: Entry, notes: tuple[str, ...]) -> str:
    name = escaped(machine.name)
    lines = [f"The network of {name}, as `vnet import-host` read it.", ""]
    lines += ["Never carried over:", *(f"  - {what}" for what in _ALWAYS)]
    if notes:
        lines += ["", "Not carried over from here, or otherwise in the lab:"]
        lines += [f"  - {note}" for note in notes]
    renamed = [
        f"{made.names[link.index]} of {guest.name} is {link.name} on the machine"
        for guest in made.guests
        for link in guest.back_ends
    ]
    if renamed:
        lines += ["", "Guests are whatever hangs on bridges by these devices:"]
        lines += [f"  - {escaped(line)}" for line in renamed]
    head = "\n".join(f"# {line}".rstrip() for line in lines)
    return f"{head}\n{_yaml(content)}"


def _yaml(content: Mapping[str, Any]) -> str:
    yaml = YAML()
    yaml.width = _WIDTH
    yaml.indent(mapping=2, sequence=4, offset=2)
    yaml.representer.add_representer(
        type(None), lambda dumper, _: dumper.represent_scalar("tag:yaml.org,2002:null", "")
    )
    stream = StringIO()
    yaml.dump(_styled(content, ""), stream)
    return stream.getvalue()


def _styled(value: Any, key: str) -> Any:
    """Maps without maps in them on one line, all others as blocks."""
    if isinstance(value, Mapping):
        made = CommentedMap((name, _styled(one, name)) for name, one in value.items())
        if key not in _NEVER_SHORT and not any(_is_deep(one) for one in value.values()):
            made.fa.set_flow_style()
        return made
    if isinstance(value, list):
        items = CommentedSeq(_styled(one, "") for one in value)
        if not any(isinstance(one, Mapping) for one in value):
            items.fa.set_flow_style()
        return items
    return value


def _is_deep(value: Any) -> bool:
    """Whether a value is a map, or has some in it."""
    if isinstance(value, list):
        return any(isinstance(one, Mapping) for one in value)
    return isinstance(value, Mapping)
