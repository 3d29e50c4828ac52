"""Where the parser stands in the tokens, and how deep."""

from __future__ import annotations

from vnet.base.text import quote
from vnet.wire.filter.errors import FilterError
from vnet.wire.filter.names import PROTOCOL_WORDS
from vnet.wire.filter.syntax import Number
from vnet.wire.filter.tokens import Kind, Token

MAX_NESTING = 40
"""Parentheses, brackets and signs within each other."""
MAX_OPERATORS = 100
"""In one comparison."""


class Cursor:
    """A walk over the tokens of a filter, END last."""

    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._at = 0
        self._nesting = 0
        self._operators = 0

    @property
    def token(self) -> Token:
        return self._tokens[self._at]

    @property
    def text(self) -> str:
        return self._tokens[self._at].text

    def peek(self) -> Token:
        """The token after this one; after END comes END."""
        return self._tokens[min(self._at + 1, len(self._tokens) - 1)]

    def at_end(self) -> bool:
        return self.token.kind is Kind.END

    def at_value(self) -> bool:
        return self.token.kind is Kind.VALUE

    def at_protocol(self) -> bool:
        return self.token.kind is Kind.KEYWORD and self.text in PROTOCOL_WORDS

    def next(self) -> Token:
        """This token; the cursor goes on to the one after it."""
        token = self.token
        self._at += 1
        return token

    def number(self, hint: str) -> Number:
        """This token's number; ``hint`` says why it must be one."""
        value = self.token.value
        if not isinstance(value, Number):
            raise self.unexpected(hint)
        self._at += 1
        return value

    def enter(self) -> None:
        """Go past the token that opens a level."""
        self._nesting += 1
        if self._nesting > MAX_NESTING:
            hint = f"at most {MAX_NESTING} levels are read"
            raise FilterError("the filter is nested too deeply", hint, self.token.column)
        self._at += 1

    def leave(self, closing: str = "") -> None:
        """Close a level, with the sign that it needs."""
        if closing:
            if self.text != closing:
                raise self.unexpected(f"'{closing}' is missing")
            self._at += 1
        self._nesting -= 1

    def start_comparison(self) -> None:
        self._operators = 0

    def count_operator(self) -> None:
        """Keeps the tree of one comparison, and with it the recursion over it, shallow."""
        self._operators += 1
        if self._operators > MAX_OPERATORS:
            hint = f"at most {MAX_OPERATORS} operators are read"
            raise FilterError("the comparison is too long", hint, self.token.column)

    def unexpected(self, hint: str) -> FilterError:
        """The error that this token is."""
        if self.at_end():
            return FilterError("the filter ends too early", hint, self.token.column)
        return FilterError(f"{quote(self.text)} is not expected here", hint, self.token.column)
