"""The spelling of steps over TCP: an exchange, iperf3, and HTTP."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from vnet.topology.schema.fields import Duration, Name, Server, Target
from vnet.topology.schema.parts import Part, duration_field, server_field

MOST_BYTES = 10_000_000_000
MOST_STREAMS = 128

_S = 1_000_000_000
_PORT = Annotated[int, Field(ge=1, le=65_535)]
_SIZE = Annotated[int, Field(ge=0, le=MOST_BYTES)]


class TcpFile(Part):
    """A connection to an echo server on the target, which the step starts."""

    from_: Name = Field(..., alias="from", description="VM, host or router that connects.")
    to: Target = Field(..., description="Name of a VM, host or router, or an IP address.")
    port: _PORT = Field(default=7, description="Destination port.")
    size: _SIZE = Field(default=64, description="Bytes that go there and come back.")
    serve: bool = Field(default=True, description="Whether the step starts a server.")
    server: Server | None = server_field()
    timeout: Duration = duration_field(60 * _S, "How long to wait for all of it.")


class IperfFile(Part):
    """iperf3: a transfer as fast as it goes, to a server that the step starts."""

    from_: Name = Field(..., alias="from", description="VM, host or router that runs iperf3 -c.")
    to: Target = Field(..., description="Name of a VM, host or router, or an IP address.")
    port: _PORT = Field(
        default=5201, description="Destination port (-p), or the next that no other test has."
    )
    time: Duration = duration_field(10 * _S, "How long to send (-t).")
    size: Annotated[int, Field(ge=1, le=MOST_BYTES)] | None = Field(
        default=None, description="Bytes to send, instead of a time (-n)."
    )
    reverse: bool = Field(default=False, description="Whether the target sends (-R).")
    parallel: Annotated[int, Field(ge=1, le=MOST_STREAMS)] = Field(
        default=1, description="Streams at the same time (-P)."
    )
    server: Server | None = server_field()


class HttpFile(Part):
    """An HTTP GET from a server on the target, which the step starts."""

    from_: Name = Field(..., alias="from", description="VM, host or router that asks.")
    to: Target = Field(..., description="Name of a VM, host or router, or an IP address.")
    port: _PORT = Field(default=80, description="Destination port.")
    path: Annotated[str, Field(pattern=r"^/[!-~]*$", max_length=1000)] = Field(
        default="/", description="What to get."
    )
    size: _SIZE | None = Field(
        default=None, description="Bytes that the server has there; left out, it has nothing: 404."
    )
    server: Server | None = server_field()
    timeout: Duration = duration_field(60 * _S, "How long to wait for all of it.")
