"""Values: UUIDs and how atoms are written."""

from __future__ import annotations

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vnet.ovs.ovsdb.atoms import Atom, Kind, Uuid, atom_text
from vnet.ovs.ovsdb.errors import OvsdbError


@given(st.binary(min_size=16, max_size=16))
def test_octets_of_chance_make_uuids_of_version_4(octets: bytes) -> None:
    made = uuid.UUID(Uuid.from_bytes(octets))
    assert made.version == 4
    assert made.variant == uuid.RFC_4122
    assert made == uuid.UUID(bytes=octets, version=4)


@given(st.lists(st.uuids(), min_size=2, max_size=5))
def test_uuids_are_in_the_order_of_their_numbers(found: list[uuid.UUID]) -> None:
    assert sorted(Uuid.parse(str(one)) for one in found) == [str(one) for one in sorted(found)]


@pytest.mark.parametrize(
    "text",
    ["", "x", "12345678-1234-1234-1234-12345678901", "{12345678-1234-1234-1234-123456789012}"],
)
def test_what_is_no_uuid_is_refused(text: str) -> None:
    with pytest.raises(OvsdbError) as caught:
        Uuid.parse(text)
    assert str(caught.value) == f'syntax error: "{text}" is not a valid UUID'


@pytest.mark.parametrize(
    ("atom", "kind", "text"),
    [
        (5, "integer", "5"),
        (0.1 + 0.2, "real", "0.3"),
        (5.0, "real", "5"),
        (True, "boolean", "true"),
        ("br0", "string", "br0"),
        ("a.b-c", "string", "a.b-c"),
        ("", "string", '""'),
        ("true", "string", '"true"'),
        ("0x1", "string", '"0x1"'),
        ("a b", "string", '"a b"'),
        ("ü", "string", '"ü"'),
        ('a"\n', "string", r'"a\"\n"'),
        (
            "12345678-1234-1234-1234-123456789012",
            "string",
            '"12345678-1234-1234-1234-123456789012"',
        ),
        (
            "abcdef78-1234-1234-1234-123456789012",
            "string",
            '"abcdef78-1234-1234-1234-123456789012"',
        ),
    ],
)
def test_atoms_are_written_as_ovs_vsctl_writes_them(atom: Atom, kind: Kind, text: str) -> None:
    assert atom_text(atom, kind) == text
