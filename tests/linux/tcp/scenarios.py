"""Conversations that the real kernel and ours both have: what the programs do, and what is lost.

``record.py`` has the kernel have them and writes down every segment; ``test_tcp_recorded.py``
compares. The client connects to port 80 of the server before the first step.
"""

from __future__ import annotations

from dataclasses import dataclass

Step = tuple[str, str, int]
"""What to do, who does it ("client", "server", or "" for both), and a number.

    write N      write N bytes              read N       read what is there, at most N bytes
    pump N       write N bytes, as fast as they go while the other reads all the time
    wait MS      let time pass              close 0      close()
    shutdown 0   shutdown(SHUT_WR)          abort 0      close() with SO_LINGER 0
    nodelay 0    TCP_NODELAY                cork 0/1     TCP_CORK
    keepalive S  SO_KEEPALIVE after S seconds of silence, one a second, three of them
"""


@dataclass(frozen=True)
class Scenario:
    """``lose`` are the numbers of the client's segments with data that get lost, from 1 on;
    ``deaf_ms`` is when both ends hear nothing, from the first segment with data on, or the SYN
    where there is no data.

    ``one_way``: acknowledgements are not compared; the kernel's depend on when its threads run.
    """

    name: str
    steps: tuple[Step, ...]
    lose: tuple[int, ...] = ()
    deaf_ms: tuple[int, int] = (0, 0)
    family: int = 4
    one_way: bool = False
    mtu_bytes: int = 1500

    def is_deaf(self, since_ms: float) -> bool:
        return self.deaf_ms[0] <= since_ms < self.deaf_ms[1]


def _wait(duration_ms: int) -> Step:
    return ("wait", "", duration_ms)


_REQUEST_AND_ANSWER = (
    *(("write", "client", 200), _wait(14), ("read", "server", 1000)),
    *(("write", "server", 300), _wait(14), ("read", "client", 1000), _wait(30)),
)
_GOODBYE = (_wait(300), ("close", "client", 0), _wait(100), ("close", "server", 0), _wait(300))


def _upload(name: str, size: int, *lose: int, **more: int | bool) -> Scenario:
    steps = (("pump", "client", size), *_GOODBYE)
    return Scenario(name, steps, lose=lose, one_way=True, **more)  # type: ignore[arg-type]


SCENARIOS = (
    Scenario("request-and-answer", (*_REQUEST_AND_ANSWER * 3, *_GOODBYE)),
    Scenario("request-and-answer-ipv6", (*_REQUEST_AND_ANSWER, *_GOODBYE), family=6),
    Scenario(
        "nagle-nodelay-cork",
        (
            *(("write", "client", 100),) * 5,
            _wait(300),
            ("nodelay", "client", 0),
            *(("write", "client", 100),) * 4,
            _wait(300),
            ("cork", "client", 1),
            *(("write", "client", 1000),) * 3,
            _wait(500),
        ),
    ),
    Scenario("window-closes", (("write", "client", 150_000), _wait(3000)), one_way=True),
    Scenario(
        "keepalive",
        (("keepalive", "client", 2), _wait(12_000)),
        deaf_ms=(5_000, 60_000),
    ),
    Scenario("abort", (("write", "client", 3), _wait(100), ("abort", "client", 0), _wait(100))),
    Scenario(
        "close-with-unread-data",
        (("write", "client", 3), _wait(100), ("close", "server", 0), _wait(100)),
    ),
    Scenario(
        "data-after-close",
        (("close", "server", 0), _wait(100), ("write", "client", 3), _wait(200)),
    ),
    Scenario("both-close", (("close", "server", 0), ("close", "client", 0), _wait(400))),
    Scenario(
        "half-close",
        (
            *(("shutdown", "client", 0), _wait(100), ("write", "server", 3000), _wait(100)),
            *(("read", "client", 5000), ("close", "server", 0), _wait(300)),
        ),
    ),
    _upload("upload", 100_000),
    _upload("one-lost", 60_000, 5),
    _upload("four-lost", 100_000, 12, 13, 15, 20),
    _upload("tail-lost", 14_480, 10),
    _upload("last-three-lost", 14_480, 8, 9, 10),
    _upload("lost-again", 60_000, 5, 21),
    _upload("small-mtu", 20_000, mtu_bytes=1000),
    Scenario(
        "silence",
        (("pump", "client", 100_000), _wait(8_000)),
        deaf_ms=(35, 3_000),
        one_way=True,
    ),
)
