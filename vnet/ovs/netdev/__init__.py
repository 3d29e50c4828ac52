"""Devices that Open vSwitch brings along itself."""
