"""Names of devices in files: those that the kernel takes."""

from __future__ import annotations

from collections.abc import Callable

import pytest

FILE = """\
version: 1
name: t
hosts:
  h1:
    hypervisor: kvm
    nics: {{eth0: }}
    switches: {{{switch}: }}
routers:
  r1: {{nics: {{{nic}: {{ip: 10.0.0.1/24}}}}}}
"""


@pytest.mark.parametrize("name", ["a16charactername", "all", "default"])
def test_a_device_that_the_kernel_would_not_name_is_refused(
    name: str, problems: Callable[[str], list[str]]
) -> None:
    for text in (FILE.format(switch=name, nic="eth0"), FILE.format(switch="br0", nic=name)):
        (said,) = problems(text)
        assert f"'{name}' is not a name for a device (the kernel takes up to 15 char" in said
