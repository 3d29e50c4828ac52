"""What a switch answers that is to set a field which it does not know.

Open vSwitch 3.1 looks for the header in a hash table, without its length. If any header in the
same bucket announces another length, that is what it finds wrong, be it the header's own field
or one that has nothing to do with it (nxm_field_by_header). So the answer is OFPBAC_BAD_SET_LEN
for most unknown fields, and OFPBAC_BAD_SET_TYPE for the rest.
"""

from __future__ import annotations

from functools import cache

from vnet.ovs.flow.field_headers import EXPERIMENTER_CLASS
from vnet.ovs.flow.fields import FIELDS
from vnet.ovs.flow.hashing import hash_uint64

_BUCKETS = 128
_VENDOR_BYTES = 4
_LONG = 0x80
"""The bit of the length that counts as part of what is looked for."""


@cache
def _lengths() -> dict[int, set[int]]:
    """By bucket, the lengths that the headers in it announce."""
    lengths: dict[int, set[int]] = {}
    for field in FIELDS.values():
        for header in field.headers:
            number, vendor = header.header_class.number, header.header_class.vendor
            vendor_bytes = _VENDOR_BYTES if number == EXPERIMENTER_CLASS else 0
            bucket = _bucket(number << 7 | header.number, vendor, 0)
            lengths.setdefault(bucket, set()).add(field.n_bytes + vendor_bytes)
    return lengths


def _bucket(class_and_number: int, vendor: int, length: int) -> int:
    return hash_uint64(class_and_number << 41 | (length & _LONG) << 32 | vendor) % _BUCKETS


def unknown_field_error(class_and_number: int, vendor: int, length: int) -> str:
    """The name of the error for a header: the 16 bits of its class with the 7 of its number, its
    vendor (0 if it has none), and its length as it would be without a mask.
    """
    others = _lengths().get(_bucket(class_and_number, vendor, length), set())
    is_of_other_length = length > 0 and any(length != other for other in others)
    return "OFPBAC_BAD_SET_LEN" if is_of_other_length else "OFPBAC_BAD_SET_TYPE"
