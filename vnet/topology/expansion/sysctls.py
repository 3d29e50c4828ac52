"""``sysctls`` of a machine: each takes what it is set to, and names a device that will be there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from vnet.base.errors import UsageError
from vnet.base.text import did_you_mean, quote
from vnet.linux.netns.sysctl.names import parse_setting
from vnet.linux.netns.sysctl.value import parse_value
from vnet.topology.reading.report import Path, Report
from vnet.topology.schema.topology import MachineFile


def sysctls_of(
    path: Path, file: MachineFile, devices: Iterable[str] | None, report: Report
) -> Mapping[str, str]:
    """The settings of the machine at ``path``.

    ``devices`` are all that it will ever have; None for a host, whose bridges and backends come
    and go.
    """
    known = None if devices is None else ("lo", *devices)
    for key in file.sysctls:
        here = (*path, "sysctls", key)
        name = parse_setting(key)
        assert name is not None
        if known is not None and name.is_of_a_device and name.device not in known:
            what = f"{quote(key)} is of a device that the machine does not have"
            report.add(here, what, did_you_mean(str(name.device), known, "it has"), at_key=True)
    check_settings((*path, "sysctls"), file.sysctls, report)
    return dict(file.sysctls)


def check_settings(path: Path, settings: Mapping[str, str], report: Report) -> bool:
    """Whether each setting takes the value that it is to have; reports it if not."""
    faults = report.faults
    for key, value in settings.items():
        name = parse_setting(key)
        assert name is not None
        try:
            parse_value(name.knob, key, value)
        except UsageError as refused:
            report.add((*path, key), str(refused))
    return report.faults == faults
