"""The table of connections against a plain list, and keys against their parts."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from vnet.tables.conntrack.conn import Conn
from vnet.tables.conntrack.key import KeyParts, parts_of, reverse, without_source_port, zone_of
from vnet.tables.conntrack.table import ConnTable

PORT = st.integers(0, 65535)
KEYS = st.sampled_from((4, 16)).flatmap(
    lambda size: st.builds(
        KeyParts,
        st.binary(min_size=size, max_size=size),
        st.binary(min_size=size, max_size=size),
        PORT,
        PORT,
        PORT,
        st.integers(0, 255),
        PORT,
    )
)


@given(KEYS)
def test_keys_hold_their_parts(parts: KeyParts) -> None:
    key = parts.pack()
    assert parts_of(key) == parts
    assert zone_of(key) == parts.zone
    assert parts_of(without_source_port(key)) == parts._replace(source_part=0)
    swapped = parts._replace(
        source=parts.target,
        target=parts.source,
        source_part=parts.target_part,
        target_part=parts.source_part,
    )
    assert reverse(key) == swapped.pack()
    assert reverse(reverse(key)) == key


FEW_KEYS = [
    KeyParts(b"\n\0\0\1", b"\n\0\0\2", source, target, 0, 17).pack()
    for source in (1, 2)
    for target in (1, 2)
]
STEPS = st.lists(
    st.tuples(
        st.sampled_from(("add", "add", "remove", "look")),
        st.sampled_from(FEW_KEYS),
        st.sampled_from(FEW_KEYS),
        st.booleans(),
        st.integers(0, 5),
    ),
    max_size=40,
)


def slow_find(conns: list[Conn], key: bytes, now_ms: int) -> Conn | None:
    """The youngest that counts."""
    for conn in reversed(conns):
        holds = conn.is_translated and conn.key != key
        if key in (conn.key, conn.reply_key) and (now_ms < conn.expires_ms or holds):
            return conn
    return None


@given(STEPS)
def test_the_table_finds_what_a_list_finds(
    steps: list[tuple[str, bytes, bytes, bool, int]],
) -> None:
    table, conns = ConnTable(), list[Conn]()
    for step, key, reply_key, is_translated, number in steps:
        if step == "add":
            conn = Conn(key, reply_key, 0)
            conn.expires_ms, conn.is_translated = number, is_translated
            table.add(conn)
            conns.append(conn)
        elif step == "remove" and conns:
            table.remove(conns.pop(number % len(conns)))
        for probe in FEW_KEYS:
            assert table.find(probe, number) is slow_find(conns, probe, number)
        assert sorted(map(id, table)) == sorted(map(id, conns))
        assert len(table) == len(conns)
        assert set(table.expired(number)) == {c for c in conns if c.expires_ms <= number}
    for conn in conns:
        table.remove(conn)
    assert not table.index
    assert len(table) == 0
