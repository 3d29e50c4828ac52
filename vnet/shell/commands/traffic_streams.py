"""Traffic over TCP: iperf3, curl and its server."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from vnet.base.errors import UsageError
from vnet.base.text import quote
from vnet.shell.context import ShellContext, machines
from vnet.shell.options import Arguments, Option, duration, duration_ns, whole_number
from vnet.shell.output import Output
from vnet.shell.registry import Group, NodeUse, command
from vnet.topology.schema.stream_step import MOST_BYTES, MOST_STREAMS

_PORT = Option("port", whole_number(1, 65_535))
_SIZE = re.compile(r"([0-9]{1,11})([KMGkmg]?)", re.ASCII)
_UNITS = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}
_MOST_SHOWN = 4_000


def _size(text: str, least: int = 1) -> int:
    """Bytes as iperf3's -n takes them: 10M is 10 times 1024 times 1024."""
    match = _SIZE.fullmatch(text)
    size = int(match[1]) * _UNITS[match[2].lower()] if match else -1
    if not least <= size <= MOST_BYTES:
        raise ValueError(f"bytes, such as 500K or 10M, at most {MOST_BYTES}")
    return size


def _test_time(text: str) -> str:
    """How long a test is. iperf3 takes 0 for a test without an end, which nobody could stop."""
    if duration_ns(text) == 0:
        raise ValueError("a test of 0 would not end")
    return duration(text)


@command(
    "iperf3",
    "NODE -s [-p PORT] | NODE -c DST [-p PORT] [-t TIME] [-n BYTES] [-i INTERVAL] [-P STREAMS] "
    "[-R]",
    "measure what TCP brings in bulk: -s runs the server, -c the client",
    group=Group.TRAFFIC,
    node=NodeUse.FIRST,
    words=(1, 1),
    options={
        "-s": Option("server"),
        "-c": Option("client", str),
        "-p": _PORT,
        "-t": Option("time", _test_time),
        "-n": Option("size", _size),
        "-i": Option("interval", duration),
        "-P": Option("parallel", whole_number(1, MOST_STREAMS)),
        "-R": Option("reverse"),
    },
    examples=["vm2 iperf3 -s", "vm1 iperf3 -c vm2 -t 5", "vm1 iperf3 -c 10.0.0.2 -n 10M -R"],
    completes=[machines],
)
def iperf3(context: ShellContext, arguments: Arguments) -> Output:
    """TIME and INTERVAL are seconds, or have a unit. -R has the server send, -P opens streams."""
    (name,) = arguments.words
    machine = context.machine(name)
    options = dict(arguments.options)
    target = options.pop("client", None)
    if options.pop("server", False) is not False:
        if target is not None:
            raise UsageError("iperf3: cannot be both a client (-c) and a server (-s)")
        port = options.get("port", 5201)
        if machine.namespace.sockets.tcp.is_listening(port):
            raise UsageError(
                "iperf3: error - unable to start listener for connections: Address already in use"
            )
        machine.serve_iperf(port)
        return f"Server listening on {port}"
    if target is None:
        raise UsageError("iperf3: must either be a client (-c) or a server (-s)")
    if "time" in options and "size" in options:
        raise UsageError("iperf3: only one test end condition (-t, -n) may be specified")
    return machine.iperf3(context.target(target, name), **options).text()


@command(
    "httpd",
    "NODE [PATH=BYTES...] [-p PORT]",
    "run an HTTP server with files of so many bytes",
    group=Group.TRAFFIC,
    node=NodeUse.FIRST,
    words=(1, None),
    options={"-p": _PORT},
    examples=["vm2 httpd /index.html=5000", "vm2 httpd /big=10M -p 8080"],
    completes=[machines],
)
def httpd(context: ShellContext, arguments: Arguments) -> Output:
    """Files that are named again get another size; all others stay."""
    name, *files = arguments.words
    port = arguments.options.get("port", 80)
    sizes = {}
    for each in files:
        path, equals, text = each.partition("=")
        try:
            if not equals or not path.startswith("/"):
                raise ValueError("PATH=BYTES, such as /index.html=5000")
            sizes[path] = _size(text, least=0)
        except ValueError as error:
            raise UsageError(f"httpd: {quote(each)} is no file", f"write {error}") from None
    server = context.machine(name).serve_http(port)
    for path, size in sizes.items():
        server.offer(path, size)
    return f"Serving HTTP on 0.0.0.0 port {port}: {', '.join(sorted(server.files)) or 'no files'}"


@command(
    "curl",
    "NODE URL [-i]",
    "get a file by HTTP; -i shows what the server says of it",
    group=Group.TRAFFIC,
    node=NodeUse.FIRST,
    words=(2, 2),
    options={"-i": Option("head")},
    examples=["vm1 curl http://vm2/index.html -i", "vm1 curl 10.0.0.2:8080/"],
    completes=[machines],
)
def curl(context: ShellContext, arguments: Arguments) -> Output:
    """The URL names a machine or an address. Long bodies and bytes are only counted."""
    name, text = arguments.words
    url = urlsplit(text if "://" in text else f"http://{text}")
    if url.scheme != "http" or not url.hostname:
        raise UsageError(f"curl: {quote(text)} is no URL that starts with http://")
    try:
        port = url.port or 80
    except ValueError:
        raise UsageError(f"curl: {quote(text)} has no port that there is") from None
    path = url.path or "/"
    app = context.machine(name).http_get(
        context.target(url.hostname, name), f"{path}?{url.query}" if url.query else path, port=port
    )
    lines = [app.complaint(url.hostname)] if app.errors else []
    if "head" in arguments.options and app.head:
        lines += [*app.head.split("\r\n"), ""]
    if app.status:
        lines.append(_shown(bytes(app.body)))
    return "\n".join(lines)


def _shown(body: bytes) -> str:
    """A short text as it is; of anything else, how much there is of it."""
    text = body.decode("ascii", "replace").rstrip("\n")
    if len(body) <= _MOST_SHOWN and text.replace("\n", "").isprintable() and text.isascii():
        return text
    return f"{len(body)} bytes received"
