"""Lines, levels, patterns and rates, as the real daemons have them."""

from __future__ import annotations

import pytest

from vnet.ovs.vlog.level import Destination, Level
from vnet.ovs.vlog.pattern import Message, parse_pattern, write_line
from vnet.ovs.vlog.spec import SpecError, apply_spec
from vnet.ovs.vlog.vlog import Vlog


class Around:
    """A process at a time of our choosing."""

    program = "ovs-vswitchd"
    pid = 4711
    host = "machine"

    def __init__(self) -> None:
        self.ms = 0

    def wall_ms(self) -> int:
        return 1_700_000_000_123 + self.ms

    def monotonic_ms(self) -> int:
        return self.ms


class Lines:
    """A sink that keeps what it is given."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def write(self, line: str) -> None:
        self.lines.append(line)


@pytest.fixture
def around() -> Around:
    return Around()


@pytest.fixture
def vlog(around: Around) -> Vlog:
    return Vlog(around)


@pytest.fixture
def file(vlog: Vlog) -> Lines:
    lines = Lines()
    vlog.set_sink(Destination.FILE, lines)
    return lines


def test_a_line_in_a_file_reads_as_open_vswitchs(vlog: Vlog, file: Lines) -> None:
    vlog.module("bridge").info("ovs-vswitchd (Open vSwitch) 3.1.0\n")
    vlog.module("ofproto_dpif_upcall").log(Level.WARN, "hm", thread="handler1")
    vlog.module("bridge").dbg("not to be seen")
    assert file.lines == [
        "2023-11-14T22:13:20.123Z|00001|bridge|INFO|ovs-vswitchd (Open vSwitch) 3.1.0\n",
        "2023-11-14T22:13:20.123Z|00001|ofproto_dpif_upcall(handler1)|WARN|hm\n",
    ]


@pytest.mark.parametrize(
    ("pattern", "line"),
    [
        ("%A %P %E %t%T", "ovs-vswitchd 4711 machine main"),
        ("%D{%H:%M:%S.###}", "22:13:20.123"),
        ("%D", "2023-11-14 22:13:20.123"),
        ("[%8c][%-8c][%08N]", "[  bridge][bridge  ][00000007]"),
        ("%p%%%q%n%m", "WARN%q\ntext"),
        ("<%B>%r", "<132>0"),
        ("%c{ignored}%", "bridge"),
    ],
)
def test_patterns_have_the_fields_of_ovs_appctl(around: Around, pattern: str, line: str) -> None:
    message = Message("bridge", Level.WARN, "text\n\n", 7, "", 0)
    assert write_line(parse_pattern(pattern), message, around) == line


def test_who_has_nowhere_to_write_is_not_even_asked(vlog: Vlog) -> None:
    assert not vlog.module("bridge").is_enabled(Level.EMER)


def test_a_specification_names_module_destination_and_level_in_any_order(
    vlog: Vlog, file: Lines
) -> None:
    apply_spec(vlog, "DBG file,Bridge")
    apply_spec(vlog, "console:off")
    assert vlog.module("bridge").levels[Destination.FILE] is Level.DBG
    assert vlog.module("bridge").levels[Destination.SYSLOG] is Level.INFO
    assert vlog.module("vlog").levels[Destination.CONSOLE] is Level.OFF
    apply_spec(vlog, "")
    assert vlog.module("vlog").levels == dict.fromkeys(Destination, Level.DBG)


def test_a_specification_sets_patterns_and_the_facility(vlog: Vlog) -> None:
    apply_spec(vlog, "PATTERN:ANY:%c|%p|%m")
    apply_spec(vlog, "pattern:Console:x: y")
    apply_spec(vlog, "FACILITY:local7")
    assert vlog.patterns[Destination.FILE] == "%c|%p|%m"
    assert vlog.patterns[Destination.CONSOLE] == "x: y"
    assert vlog.facility == 23 << 3


@pytest.mark.parametrize(
    ("spec", "sentence"),
    [
        ("foo", 'no destination, level, or module "foo"'),
        ("pattern", "missing destination"),
        ("pattern:foo:x", 'unknown destination "foo"'),
        ("facility:none", "invalid facility"),
        ("console:file", "cannot specify multiple destinations"),
        ("info:dbg", "cannot specify multiple levels"),
        ("bridge:vlog", "cannot specify multiple modules"),
    ],
)
def test_a_specification_that_is_none_is_refused(vlog: Vlog, spec: str, sentence: str) -> None:
    with pytest.raises(SpecError) as refused:
        apply_spec(vlog, spec)
    assert str(refused.value) == sentence


def test_a_flood_is_cut_to_its_rate_and_the_drops_are_told(
    vlog: Vlog, file: Lines, around: Around
) -> None:
    log = vlog.module("rconn")
    limit = log.limit(per_minute=60, burst=2)
    for _ in range(5):
        log.info("again", limit)
    assert len(file.lines) == 2
    around.ms = 3_000
    log.info("again", limit)
    assert [line.partition("INFO|")[2] for line in file.lines[2:]] == [
        "Dropped 3 log messages in last 3 seconds (most recently, "
        "3 seconds ago) due to excessive rate\n",
        "again\n",
    ]
    log.honours_rate_limits = False
    for _ in range(5):
        log.info("again", limit)
    assert len(file.lines) == 9


def test_the_rate_of_a_minute_is_kept_to_the_message(vlog: Vlog, around: Around) -> None:
    limit = vlog.module("rconn").limit(per_minute=5, burst=5)
    passed = 0
    for around.ms in range(0, 600_000, 1_000):
        passed += limit.take(around.ms)
    assert passed == 5 + 49


def test_a_field_is_not_made_wider_than_a_line_may_be(around: Around) -> None:
    message = Message("bridge", Level.INFO, "text", 1, "", 0)
    for digits in ("999999999999", "9" * 5000):
        assert write_line(parse_pattern(f"%{digits}m"), message, around) == "text".rjust(500)
