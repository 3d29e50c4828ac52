"""The oracle's ``replay.py``, which comes first among the arguments, with more patience.

It gives a switch milliseconds for what comes of a frame, and two seconds for an answer. Here the
switch is asked: who has answered what was asked after a frame, and once more, has sent all that
comes of it.
"""

from __future__ import annotations

import struct
import sys
from pathlib import Path
from typing import Any

_PATIENCE_S = 60
_ECHO_REQUEST, _ECHO_REPLY = 2, 3


def patient(impatient: Any, version: int) -> Any:
    """The class of what is told frames and messages, as ``replay.py`` has it, but patient."""
    echo = struct.pack("!BBHI", version, _ECHO_REQUEST, 8, 0)

    class Patient(impatient):  # type: ignore[misc]
        def inject(self, port: int, frame: bytes) -> None:
            super().inject(port, frame)
            for _ in range(2):
                self.request(echo, _ECHO_REPLY)

        def request(self, message: bytes, want: int, timeout_s: float = _PATIENCE_S) -> Any:
            return super().request(message, want, timeout_s)

    return Patient


def main() -> None:
    """Replay what there is to be replayed. Streams have a pace of their own."""
    _, *sys.argv = sys.argv
    definitions, begin, rest = Path(sys.argv[0]).read_text(encoding="utf-8").partition("\ndut = ")
    scope: dict[str, Any] = {}
    exec(definitions, scope)  # noqa: S102 - the oracle's
    if not scope["A"].stream:
        scope["Dut"] = patient(scope["Dut"], scope["V"])
    exec(begin + rest, scope)  # noqa: S102 - likewise


if __name__ == "__main__":
    main()
