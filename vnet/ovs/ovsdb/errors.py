"""What a request of a database is refused with, in the words of ovsdb-server."""

from __future__ import annotations

from vnet.ovs.ovsdb.json_text import Json, json_text


class OvsdbError(Exception):
    """A refusal: ``error`` says of which kind (RFC 7047 section 3.1), ``details`` tells why.

    ``syntax`` is the JSON text it is about, ``io_error`` what the system said of a file.
    """

    def __init__(
        self, error: str, details: str = "", *, syntax: str | None = None, io_error: str = ""
    ) -> None:
        self.error = error
        self.details = details
        self.syntax = syntax
        self.io_error = io_error
        super().__init__(error)

    def __str__(self) -> str:
        where = "" if self.syntax is None else f'syntax "{self.syntax}": '
        why = f": {self.details}" if self.details else ""
        system = f" ({self.io_error})" if self.io_error else ""
        return f"{where}{self.error}{why}{system}"

    def to_json(self) -> dict[str, Json]:
        """The <error> of RFC 7047, with the members that ovsdb adds to it."""
        json: dict[str, Json] = {"error": self.error}
        if self.details:
            json["details"] = self.details
        if self.syntax is not None:
            json["syntax"] = self.syntax
        if self.io_error:
            json["io-error"] = self.io_error
        return json


def syntax_error(json: Json, details: str, *, error: str = "syntax error") -> OvsdbError:
    """A refusal that quotes the JSON it is about."""
    return OvsdbError(error, details, syntax=json_text(json))


def constraint_violation(details: str) -> OvsdbError:
    """A value that the schema does not allow."""
    return OvsdbError("constraint violation", details)
