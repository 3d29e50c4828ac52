"""Actions that choose by a hash: ``bundle``, ``bundle_load`` and ``multipath`` (ovs-actions(7))."""

from __future__ import annotations

from enum import Enum
from typing import TypeVar

from vnet.ovs.flow.errors import OvsTextError
from vnet.ovs.flow.field import has_short_header
from vnet.ovs.flow.fields import Subfield
from vnet.ovs.flow.names import parse_port, port_text
from vnet.ovs.flow.ports import OFPP_CONTROLLER, OFPP_NONE, OfpPort
from vnet.ovs.openflow.errors import OpenFlowError
from vnet.ovs.openflow.ofpacts import (
    Bundle,
    BundleAlgorithm,
    HashFields,
    Multipath,
    MultipathAlgorithm,
    Ofpact,
)
from vnet.ovs.openflow.text.actions.kind import ActionKind, AnyKind, Checker, Printer, Reader
from vnet.ovs.openflow.text.actions.output import check_output_port
from vnet.ovs.openflow.text.actions.parts import (
    check_destination,
    leading_integer,
    words,
)

_EnumT = TypeVar("_EnumT", bound=Enum)

_MAX_MEMBERS = 2048
_MAX_LINKS = 65536


def _choice(kinds: type[_EnumT], text: str, what: str, whole: str) -> _EnumT:
    """The member whose value is ``text``, in any case."""
    try:
        return kinds(text.lower())
    except ValueError:
        raise OvsTextError(f"{whole}: unknown {what} `{text}'") from None


def _parse_destination(text: str, whole: str) -> Subfield:
    destination = Subfield.parse(text)
    if not has_short_header(destination.field):
        raise OvsTextError(f"{whole}: experimenter OXM field '{text}' not supported")
    return destination


# -- bundle


def _parse_bundle(value: str, reader: Reader) -> Ofpact:
    (fields, basis, algorithm, member_type), rest = _arguments(value, 4)
    return _bundle(value, fields, basis, algorithm, member_type, None, rest, reader)


def _parse_bundle_load(value: str, reader: Reader) -> Ofpact:
    (fields, basis, algorithm, member_type, destination), rest = _arguments(value, 5)
    return _bundle(value, fields, basis, algorithm, member_type, destination, rest, reader)


def _arguments(value: str, count: int) -> tuple[list[str], str]:
    arguments, rest = words(value, ", ", count)
    return arguments + [""] * (count - len(arguments)), rest


def _bundle(
    whole: str,
    fields: str,
    basis: str,
    algorithm: str,
    member_type: str,
    destination: str | None,
    rest: str,
    reader: Reader,
) -> Bundle:
    delimiter, rest = words(rest, ": ", 1)
    if not delimiter:
        raise OvsTextError(f"{whole}: not enough arguments to bundle action")
    if delimiter[0].lower() not in ("members", "slaves"):
        raise OvsTextError(
            f"{whole}: missing member delimiter, expected `members', got `{delimiter[0]}'"
        )
    members = tuple(_parse_member(word, reader) for word in words(rest, ", []", _MAX_MEMBERS)[0])
    hashed = _choice(HashFields, fields, "fields", whole)
    chosen_by = _choice(BundleAlgorithm, algorithm, "algorithm", whole)
    if member_type.lower() != "ofport":
        raise OvsTextError(f"{whole}: unknown member_type `{member_type}'")
    loaded = None if destination is None else _parse_destination(destination, whole)
    return Bundle(hashed, leading_integer(basis) & 0xFFFF, chosen_by, members, loaded)


def _parse_member(text: str, reader: Reader) -> OfpPort:
    port = parse_port(text, reader.names)
    if port is None:
        raise OvsTextError(f"{text}: bad port number")
    return port


def _bundle_text(action: Bundle, printer: Printer) -> str:
    head = f"{action.fields.value},{action.basis},{action.algorithm.value},ofport"
    members = ",".join(port_text(member, printer.names) for member in action.members)
    if action.destination is None:
        return f"bundle({head},members:{members})"
    return f"bundle_load({head},{action.destination.format()},members:{members})"


def _check_bundle(action: Bundle, checker: Checker) -> Bundle:
    if action.destination is not None:
        check_destination(action.destination, checker)
    _check_members(action, checker.max_ports)
    return action


def _check_members(action: Bundle, max_ports: int) -> None:
    for member in action.members:
        if member != OFPP_NONE:
            check_output_port(member, max_ports)
        if member == OFPP_CONTROLLER:
            # There is no room to say how much of the packet it would be sent.
            raise OpenFlowError("OFPBAC_BAD_OUT_PORT")


# -- multipath


def _parse_multipath(value: str, _reader: Reader) -> Multipath:
    arguments, _ = words(value, ", ", 6)
    if len(arguments) < 6:
        raise OvsTextError(f"{value}: not enough arguments to multipath action")
    fields, basis, algorithm, links, argument, destination_text = arguments
    hashed = _choice(HashFields, fields, "fields", value)
    chosen_by = _choice(MultipathAlgorithm, algorithm, "algorithm", value)
    n_links = leading_integer(links)
    if not 1 <= n_links <= _MAX_LINKS:
        raise OvsTextError(f"{value}: n_links {n_links} is not in valid range 1 to {_MAX_LINKS}")
    destination = _parse_destination(destination_text, value)
    n_values = 1 << destination.n_bits
    if n_links > n_values:
        raise OvsTextError(
            f"{value}: {destination.n_bits}-bit destination field has {n_values} possible "
            f"values, less than specified n_links {n_links}"
        )
    return Multipath(
        hashed,
        leading_integer(basis) & 0xFFFF,
        chosen_by,
        n_links - 1,
        leading_integer(argument) & 0xFFFFFFFF,
        destination,
    )


def _multipath_text(action: Multipath, _printer: Printer) -> str:
    return (
        f"multipath({action.fields.value},{action.basis},{action.algorithm.value},"
        f"{action.max_link + 1},{action.argument},{action.destination.format()})"
    )


def _check_multipath(action: Multipath, checker: Checker) -> Multipath:
    check_destination(action.destination, checker)
    return action


KINDS: tuple[AnyKind, ...] = (
    ActionKind(
        Bundle,
        "bundle",
        {"bundle": _parse_bundle, "bundle_load": _parse_bundle_load},
        _bundle_text,
        _check_bundle,
    ),
    ActionKind(
        Multipath,
        "multipath",
        {"multipath": _parse_multipath},
        _multipath_text,
        _check_multipath,
    ),
)
