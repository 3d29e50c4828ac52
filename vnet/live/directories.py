"""Where Open vSwitch's programs keep their files, as the environment says."""

from __future__ import annotations

import os


def run_directory() -> str:
    """Sockets and pidfiles: ``OVS_RUNDIR``."""
    return _from_environment("OVS_RUNDIR", "/var/run/openvswitch")


def log_directory() -> str:
    """Log files: ``OVS_LOGDIR``."""
    return _from_environment("OVS_LOGDIR", "/var/log/openvswitch")


def configuration_directory() -> str:
    """What administrators write: ``OVS_SYSCONFDIR``'s folder for Open vSwitch."""
    return _from_environment("OVS_SYSCONFDIR", "/etc") + "/openvswitch"


def database_directory() -> str:
    """Databases: ``OVS_DBDIR``, or else where configuration is, if that is given."""
    given = os.environ.get("OVS_DBDIR")
    if given:
        return given
    return configuration_directory() if os.environ.get("OVS_SYSCONFDIR") else "/etc/openvswitch"


def data_directory() -> str:
    """What comes with the program, such as schemas: ``OVS_PKGDATADIR``."""
    return _from_environment("OVS_PKGDATADIR", "/usr/share/openvswitch")


def _from_environment(name: str, otherwise: str) -> str:
    return os.environ.get(name) or otherwise
