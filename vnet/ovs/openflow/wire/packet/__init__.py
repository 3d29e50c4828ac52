"""Packets that go to controllers, and those that come from them."""
