"""Packet expressions: Scapy's own notation, read as data.

``Ether(dst="ff:ff:ff:ff:ff:ff")/ARP(pdst="10.0.0.2")`` is how everybody writes a packet,
so a topology file may write it too. But a topology file must not be able to run
anything, hence the text is never evaluated. Python's parser turns it into a syntax
tree, and the few shapes that describe a packet are picked out of the tree:

* calls of the layers in :mod:`vnet.topology.packets.layers`, with keyword arguments;
* literals: numbers, text, bytes, None, True, False, lists and tuples of them;
* ``/`` between layers, and text or bytes as payload;
* ``"x" * 100``, as far as a packet is long.

Everything else - names, attributes, subscripts, lambdas, comprehensions, f-strings -
has no rule here, and so is refused. Sizes and nesting are limited before anything is
computed. Building the packet from the checked tree is :mod:`vnet.topology.packets.packet`'s
work; checking needs no Scapy.
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from math import isfinite
from typing import Any, TypeAlias, Union

from vnet.base.errors import VnetError
from vnet.base.ids import mac_from_text
from vnet.base.text import did_you_mean, escaped, quote
from vnet.topology.packets.layers import DHCP_TEXT_OPTIONS, LAYER_NAMES, fields_of

MAX_TEXT = 8_192
"""Characters of an expression; long payloads are written ``"x" * 1000``."""

MAX_PACKET_BYTES = 65_535
MAX_LAYERS = 64
_MAX_DEPTH = 16
_MAX_NUMBER = 2**128
_EXAMPLE = "for example Ether()/IP(dst='10.0.0.2')/UDP(dport=9)/'payload'"

Value: TypeAlias = Union[bool, int, float, str, bytes, list[Any], tuple[Any, ...], "Layer", None]


class ExpressionError(VnetError):
    """A packet expression that is not one, or is one too many for a packet."""


@dataclass(frozen=True, slots=True)
class Layer:
    """One call: ``UDP(dport=9)`` is ``Layer("UDP", (("dport", 9),))``."""

    name: str
    fields: tuple[tuple[str, Value], ...] = ()


@dataclass(frozen=True, slots=True)
class PacketExpression:
    """A checked expression: its text, and its layers and payloads from the outside in."""

    text: str
    parts: tuple[Layer | str | bytes, ...]


def parse_packet_expression(text: str) -> PacketExpression:
    """Check ``text`` and return its parts. Raises :class:`ExpressionError`."""
    if len(text) > MAX_TEXT:
        hint = 'write a long payload as "x" * 1000'
        raise ExpressionError(f"the expression is longer than {MAX_TEXT} characters", hint)
    text = text.strip()
    if not text:
        raise ExpressionError("the expression is empty", _EXAMPLE)
    # In brackets an expression may run over several lines, as a YAML block does.
    source = f"({text}\n)" if "\n" in text else text
    try:
        with warnings.catch_warnings():
            # Python warns of "\d" and 1if; here a warning would only confuse.
            warnings.simplefilter("ignore")
            tree = ast.parse(source, mode="eval")
    except SyntaxError as error:
        what = f"the expression is not Python: {escaped((error.msg or '')[:100])}"
        raise ExpressionError(what, _EXAMPLE) from None
    except (ValueError, MemoryError, RecursionError):
        raise ExpressionError("the expression is not Python, or too deep", _EXAMPLE) from None
    return PacketExpression(text, _Checker(source).packet(tree.body))


def build_packet(text: str, *, mac: bytes = bytes(6), ip4: bytes = b"", ip6: bytes = b"") -> Any:
    """The Scapy packet that ``text`` describes; see :func:`vnet.topology.packets.packet.build`."""
    from vnet.topology.packets.packet import build  # Scapy is only worth importing to build.

    return build(parse_packet_expression(text), mac=mac, ip4=ip4, ip6=ip6)


class _Checker:
    """Walks one syntax tree; keeps count of layers and bytes."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.layers = 0
        self.size = 0

    def refuse(self, node: ast.AST, why: str = "is not allowed", hint: str = "") -> ExpressionError:
        segment = ast.get_source_segment(self.text, node) or type(node).__name__
        default = "layers with literal values, joined by /"
        return ExpressionError(f"{quote(segment)} {why}", hint or default)

    def packet(self, node: ast.expr) -> tuple[Layer | str | bytes, ...]:
        parts = tuple(self.chain(node, 0))
        if not isinstance(parts[0], Layer):
            raise ExpressionError("a packet begins with a layer", _EXAMPLE)
        return parts

    def chain(self, node: ast.expr, depth: int) -> Iterator[Layer | str | bytes]:
        """The parts of ``a / b / c``, left to right. The left spine is walked, not recursed."""
        if depth > _MAX_DEPTH:
            raise self.refuse(node, "is nested too deeply")
        tail: list[ast.expr] = []
        while isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
            tail.append(node.right)
            node = node.left
        yield self.part(node, depth)
        for right in reversed(tail):
            if isinstance(right, ast.BinOp) and isinstance(right.op, ast.Div):
                yield from self.chain(right, depth + 1)
            else:
                yield self.part(right, depth)

    def part(self, node: ast.expr, depth: int) -> Layer | str | bytes:
        if isinstance(node, ast.Call):
            return self.layer(node, depth + 1)
        value = self.value(node, depth + 1)
        if not isinstance(value, str | bytes):
            raise self.refuse(node, "is neither a layer nor a payload")
        return value

    def layer(self, node: ast.Call, depth: int) -> Layer:
        self.layers += 1
        if self.layers > MAX_LAYERS:
            raise ExpressionError(f"the expression has more than {MAX_LAYERS} layers")
        if not isinstance(node.func, ast.Name):
            raise self.refuse(node.func)
        name = node.func.id
        if name not in LAYER_NAMES:
            raise ExpressionError(
                f"{quote(name)} is not a known layer",
                did_you_mean(name, LAYER_NAMES, "there are"),
            )
        known = fields_of(name)
        given = self.positional(node, name, depth)
        for keyword in node.keywords:
            if keyword.arg is None:
                raise self.refuse(keyword.value)
            if keyword.arg not in known:
                hint = did_you_mean(keyword.arg, list(known), "it has")
                raise ExpressionError(f"{name} has no field {quote(keyword.arg)}", hint)
            value = self.value(keyword.value, depth + 1)
            self.fits(f"{name}.{keyword.arg}", known[keyword.arg], value)
            given.append((keyword.arg, value))
        return Layer(name, tuple(given))

    def positional(self, node: ast.Call, name: str, depth: int) -> list[tuple[str, Value]]:
        """``Raw("x")`` is the one customary call without a keyword."""
        if not node.args:
            return []
        if name not in ("Raw", "Padding") or len(node.args) > 1 or node.keywords:
            raise self.refuse(node.args[0], f"in {name}() has no name", "write field=value")
        value = self.value(node.args[0], depth + 1)
        if not isinstance(value, str | bytes):
            raise self.refuse(node.args[0], "is not a payload")
        return [("load", value)]

    def value(self, node: ast.expr, depth: int) -> Value:
        if depth > _MAX_DEPTH:
            raise self.refuse(node, "is nested too deeply")
        if isinstance(node, ast.Constant):
            return self.constant(node)
        if isinstance(node, ast.List):
            return [self.value(item, depth + 1) for item in node.elts]
        if isinstance(node, ast.Tuple):
            return tuple(self.value(item, depth + 1) for item in node.elts)
        if isinstance(node, ast.Call):
            return self.layer(node, depth + 1)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            number = self.value(node.operand, depth + 1)
            if isinstance(number, int | float) and not isinstance(number, bool):
                return -number
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
            return self.repeated(node, depth)
        if isinstance(node, ast.Name) and node.id in LAYER_NAMES:
            hint = f"write {node.id}(); a packet begins with Ether(), IP(dst=...) or IPv6(dst=...)"
            raise self.refuse(node, "is a layer without parentheses", hint)
        raise self.refuse(node)

    def constant(self, node: ast.Constant) -> Value:
        value = node.value
        if isinstance(value, str | bytes):
            self.grow(len(value))
            return value
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, int) and value < _MAX_NUMBER:
            return value
        if isinstance(value, float) and isfinite(value):
            return value
        raise self.refuse(node)

    def repeated(self, node: ast.BinOp, depth: int) -> str | bytes:
        left, right = self.value(node.left, depth + 1), self.value(node.right, depth + 1)
        if isinstance(left, int):
            left, right = right, left
        if not isinstance(left, str | bytes) or type(right) is not int or right < 0:
            raise self.refuse(node, hint='text times a number, such as "x" * 100')
        self.grow(len(left) * (right - 1))
        return left * right

    def grow(self, size: int) -> None:
        self.size += size
        if self.size > MAX_PACKET_BYTES:
            raise ExpressionError(f"the packet is longer than {MAX_PACKET_BYTES} bytes")

    def fits(self, field: str, kind: str, value: Value) -> None:
        """Refuse a value that Scapy would take for more than itself."""
        if value is None:
            return
        if kind == "layers":
            items = value if isinstance(value, list) else [value]
            if not all(isinstance(item, Layer) for item in items):
                raise ExpressionError(f"{field} wants layers", "for example DNS(qd=DNSQR())")
        elif kind in ("ip4s", "ip6s"):
            if not isinstance(value, list):
                raise ExpressionError(f"{field} wants a list of addresses")
            for item in value:
                _check_address(field, kind[:-1], item)
        elif kind in ("mac", "ip4", "ip6"):
            _check_address(field, kind, value)
        elif kind == "dhcp":
            _check_dhcp(field, value)
        elif kind == "list":
            if not isinstance(value, list) or _holds_layer(value):
                raise ExpressionError(f"{field} wants a list of literals")
        elif isinstance(value, list | tuple | Layer):
            # Scapy makes one packet of each value in a list: that is a set, not a packet.
            raise ExpressionError(f"{field} wants one literal value")


def _check_address(field: str, kind: str, value: Value) -> None:
    noun = {"mac": "MAC", "ip4": "IPv4", "ip6": "IPv6"}[kind]
    parse: Any = {"mac": mac_from_text, "ip4": IPv4Address, "ip6": IPv6Address}[kind]
    if isinstance(value, str) and "%" not in value and "-" not in value:
        try:
            parse(value)
        except ValueError:
            pass
        else:
            return
    shown = quote(value) if isinstance(value, str) else "the value given"
    hint = "names, networks and ranges are not looked up"
    raise ExpressionError(f"{field} wants a literal {noun} address, not {shown}", hint)


def _check_dhcp(field: str, value: Value) -> None:
    """Options are ``"end"`` or ``("router", "10.0.0.1", ...)``.

    Scapy reads the text of most options as an address, and looks it up if it is none.
    """
    if not isinstance(value, list) or _holds_layer(value):
        raise ExpressionError(f"{field} wants a list of options")
    for option in value:
        if isinstance(option, str | bytes):
            continue
        if not isinstance(option, tuple) or not option or not isinstance(option[0], str):
            raise ExpressionError(f"{field} wants options such as ('router', '10.0.0.1')")
        name, *data = option
        for item in data:
            if isinstance(item, list | tuple):
                if not all(type(number) is int for number in item):
                    raise ExpressionError(f"DHCP option {quote(name)} wants numbers in its list")
            elif isinstance(item, str | bytes) and name not in DHCP_TEXT_OPTIONS:
                _check_address(f"DHCP option {quote(name)}", "ip4", item)


def _holds_layer(value: Value) -> bool:
    if isinstance(value, list | tuple):
        return any(_holds_layer(item) for item in value)
    return isinstance(value, Layer)
