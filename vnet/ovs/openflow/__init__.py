"""The language of OpenFlow as Open vSwitch speaks it: actions, messages, and their text."""
