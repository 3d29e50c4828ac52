"""The readers of captures and frames as a target."""

from __future__ import annotations

from collections import Counter
from io import BytesIO

from benchmarks.fuzzing.mutate import Stations
from benchmarks.fuzzing.seeds import OURS, PEER
from benchmarks.fuzzing.target import Target, packed
from vnet.base.chance import Chance
from vnet.base.ids import mac_from_text
from vnet.base.units import NS_PER_S
from vnet.guest.dissect import dissect
from vnet.wire.pcap import PcapWriter, read_pcap
from vnet.wire.pcapng import PcapngWriter, read_pcapng
from vnet.wire.summary import summarize


class ReadersTarget(Target):
    """The shipped readers: captures in both formats, the one-line summary, the dissector.

    What is written must be read back, frame for frame; then the files themselves are spoiled.
    """

    name = "readers"
    _BATCH = 50
    _DISSECT_EVERY = 4
    """Scapy takes as long for one frame as all the other readers for twenty."""

    def __init__(self, chance: Chance) -> None:
        super().__init__(chance.stream("readers target"))
        self.stations = Stations(
            [mac_from_text(OURS), mac_from_text(PEER)],
            packed("10.0.0.1"),
            packed("10.0.0.2"),
            packed("fd00::1"),
            packed("fe80::9"),
        )
        self._batch: list[bytes] = []
        self._fates: Counter[str] = Counter()

    def take(self, data: bytes) -> None:
        self.frames += 1
        self._fates["(summarised)"] += bool(summarize(data))
        if self.frames % self._DISSECT_EVERY == 0:
            self._fates["(dissected)"] += 1
            if bytes(dissect(data, 0)) != data:
                self.faults.append(f"dissect changed {data.hex()}")
        self._batch.append(data)
        if len(self._batch) == self._BATCH:
            self._write_and_read()

    def settle(self) -> None:
        self._write_and_read()

    def fates(self) -> Counter[str]:
        return self._fates

    def _write_and_read(self) -> None:
        frames, self._batch = self._batch, []
        timed = [(number * NS_PER_S, data, bool(number % 2)) for number, data in enumerate(frames)]
        modern, classic = BytesIO(), BytesIO()
        writer = PcapngWriter(modern, application="fuzz")
        writer.write_batch(writer.add_interface("eth0"), timed)
        PcapWriter(classic).write_batch(timed)
        for stream, read in ((modern, read_pcapng), (classic, read_pcap)):
            whole = stream.getvalue()
            if [packet.data for packet in read(whole, strict=True)] != frames:
                self.faults.append(f"{read.__name__} read other frames than were written")
            self._fates["(read back)"] += len(frames)
            try:
                for packet in read(self._spoiled(whole)):
                    summarize(packet.data)
                    self._fates["(read from a spoiled file)"] += 1
            except ValueError:
                self._fates["(spoiled files refused)"] += 1

    def _spoiled(self, data: bytes) -> bytes:
        changed = bytearray(data)
        for _ in range(self.chance.randrange(1, 4)):
            # Close to the front are the headers that everything else depends on.
            at = self.chance.randrange(min(len(changed), self.chance.choice((64, 400, 1 << 20))))
            changed[at] = self.chance.choice((0, 1, 0x7F, 0x80, 0xFF, self.chance.randrange(256)))
        if self.chance.random() < 0.3:
            del changed[self.chance.randrange(len(changed)) :]
        return bytes(changed)
