"""nslookup: the addresses of a name, or the name of an address, as BIND's tool prints them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from vnet.base.errors import UsageError
from vnet.base.ids import ip_from_text, ip_text
from vnet.guest.apps.dns.dig_text import data_text, name_text
from vnet.guest.apps.dns.names import type_number, type_text
from vnet.lab.handles import MachineHandle
from vnet.linux.resolv_conf import ResolvConf
from vnet.linux.services.dns_server.records import reverse_name
from vnet.shell.context import ShellContext, machines
from vnet.shell.options import Arguments
from vnet.shell.output import Output
from vnet.shell.registry import Group, NodeUse, command

if TYPE_CHECKING:
    from vnet.guest.apps.dns.dig import DigResult

_WORDS = {
    "CNAME": "\tcanonical name = ",
    "MX": "\tmail exchanger = ",
    "NS": "\tnameserver = ",
    "PTR": "\tname = ",
    "SRV": "\tservice = ",
    "TXT": "\ttext = ",
}


@dataclass
class _Asked:
    name: str = ""
    server: str | None = None
    kind: str | None = None
    options: dict[str, Any] = field(default_factory=dict)


@command(
    "nslookup",
    "NODE [-type=TYPE] [-timeout=S] [-retry=N] NAME [SERVER]",
    "the addresses of a name, or the name of an address",
    group=Group.TRAFFIC,
    node=NodeUse.FIRST,
    words=(2, None),
    examples=["vm1 nslookup vm2.lab.test", "vm1 nslookup -type=MX lab.test 10.0.0.1"],
    completes=[machines],
)
def nslookup(context: ShellContext, arguments: Arguments) -> Output:
    """Without a type, A and AAAA are asked for; SERVER is a machine's name or an address."""
    node, *words = arguments.words
    machine, asked = context.machine(node), _read(words)
    if asked.server is not None:
        asked.server = context.target(asked.server, node)
    try:
        reverse = reverse_name(ip_from_text(asked.name))
    except ValueError:
        return _by_name(machine, asked)
    result = _ask(machine, reverse, "PTR", asked)
    return "\n".join([*_trouble(result, asked), *_records(result, _PTR_ONLY)])


_PTR_ONLY = ("PTR", "CNAME")


def _read(words: Sequence[str]) -> _Asked:
    asked = _Asked()
    names = []
    for word in words:
        key, _, value = word[1:].partition("=")
        if not word.startswith("-"):
            names.append(word)
        elif key in ("type", "querytype", "query", "q", "ty") and type_number(value) is not None:
            asked.kind = value.upper()
        elif key in ("timeout", "retry", "port") and value.isascii() and value.isdecimal():
            number = int(value)
            if key == "timeout":
                asked.options["timeout"] = f"{max(number, 1)}s"
            else:
                asked.options["tries" if key == "retry" else "port"] = number + (key == "retry")
        else:
            raise UsageError(f"*** Invalid option: {word[1:]}")
    if not 1 <= len(names) <= 2:
        raise UsageError("nslookup: wants a name, and perhaps a server")
    asked.name, asked.server = names[0], names[1] if len(names) == 2 else None
    return asked


def _ask(machine: MachineHandle, name: str, kind: str, asked: _Asked) -> DigResult:
    return machine.dig(
        name, kind, server=asked.server, edns=False, authentic=False, **asked.options
    )


def _by_name(machine: MachineHandle, asked: _Asked) -> str:
    first = None
    for name in _candidates(machine.namespace.resolv_conf, asked.name):
        first = _ask(machine, name, asked.kind or "A", asked)
        if first.status in ("NOERROR", ""):
            break
    assert first is not None
    lines = [*first.remarks]
    if first.message is None:
        return "\n".join([*lines, ";; no servers could be reached", ""])
    server = ip_text(first.server)
    lines += [f"Server:\t\t{server}", f"Address:\t{server}#{first.port}", ""]
    if first.status != "NOERROR":
        return "\n".join([*lines, f"** server can't find {asked.name}: {first.status}", ""])
    results = [first]
    if asked.kind is None:
        last = first.message.rr[-1].rname if first.message.rr else None
        second = first.name if last is None else name_text(last).rstrip(".")
        results.append(_ask(machine, second, "AAAA", asked))
    found = [line for result in results for line in _records(result)]
    authoritative = bool(first.message.header.aa)
    lines += [] if authoritative else ["Non-authoritative answer:"]
    lines += found or [f"*** Can't find {first.name}: No answer"]
    if not authoritative and asked.kind is not None:
        lines += ["", "Authoritative answers can be found from:"]
    return "\n".join([*lines, ""])


def _candidates(conf: ResolvConf, name: str) -> Iterator[str]:
    below = [] if name.endswith(".") else [f"{name}.{domain}" for domain in conf.search]
    yield from [name, *below] if name.count(".") >= conf.ndots else [*below, name]


def _trouble(result: DigResult, asked: _Asked) -> list[str]:
    if result.message is None:
        return [*result.remarks, ";; no servers could be reached"]
    if result.status != "NOERROR":
        return [*result.remarks, f"** server can't find {result.name}: {result.status}"]
    if not result.message.rr:
        return [*result.remarks, f"*** Can't find {asked.name}: No answer"]
    return list(result.remarks)


def _records(result: DigResult, kinds: Sequence[str] = ()) -> Iterator[str]:
    for record in () if result.message is None else result.message.rr:
        kind, owner = type_text(record.rtype), name_text(record.rname).removesuffix(".")
        if kinds and kind not in kinds:
            continue
        if kind in ("A", "AAAA"):
            yield f"Name:\t{owner}\nAddress: {data_text(record)}"
        elif kind == "SOA":
            master, mail, *numbers = data_text(record).split()
            yield f"{owner}\n\torigin = {master[:-1]}\n\tmail addr = {mail[:-1]}"
            words = ("serial", "refresh", "retry", "expire", "minimum")
            yield from (f"\t{w} = {n}" for w, n in zip(words, numbers, strict=True))
        else:
            word = _WORDS.get(kind, f"\trdata_{record.rtype} = ")
            yield f"{owner}{word}{data_text(record)}"
