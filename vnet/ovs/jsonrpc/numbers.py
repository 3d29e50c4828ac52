"""Numbers of JSON as Open vSwitch reads them: what is whole and fits is an integer, else a real."""

from __future__ import annotations

from decimal import Decimal

from vnet.ovs.jsonrpc.errors import JsonRpcError

INTEGER_MIN = -(2**63)
INTEGER_MAX = 2**63 - 1
_SURELY_FITS_CHARS = 18
_LONGEST_NUMBER_CHARS = 4000
_EXACT_BELOW = 2.0**64


def read_integer(text: str) -> int | float:
    """Digits, perhaps with a sign. What does not fit in 64 bits is a real."""
    if len(text) <= _SURELY_FITS_CHARS:
        return int(text)
    _check_length(text)
    value = int(text)
    return value if INTEGER_MIN <= value <= INTEGER_MAX else _real(text)


def read_real(text: str) -> int | float:
    """Digits with a fraction or an exponent: ``1e3`` and ``5.0`` are integers all the same."""
    _check_length(text)
    value = _real(text)
    if value == 0.0:
        return 0
    if value.is_integer() and abs(value) < _EXACT_BELOW:
        exact = Decimal(text)
        whole = int(exact)
        if exact == whole and INTEGER_MIN <= whole <= INTEGER_MAX:
            return whole
    return value


def refuse_constant(text: str) -> float:
    """``NaN`` and ``Infinity`` are Python's, not JSON's."""
    raise JsonRpcError(f"invalid keyword '{text}'")


def _check_length(text: str) -> None:
    if len(text) > _LONGEST_NUMBER_CHARS:
        raise JsonRpcError(f"number of more than {_LONGEST_NUMBER_CHARS} characters")


def _real(text: str) -> float:
    value = float(text)
    if value in (float("inf"), float("-inf")):
        raise JsonRpcError("number outside valid range")
    return value
