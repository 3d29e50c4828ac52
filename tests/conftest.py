"""What all tests share."""

from __future__ import annotations

from hypothesis import settings

# Shared machines stall now and then; a slow example is not a wrong one.
settings.register_profile("vnet", deadline=None)
settings.load_profile("vnet")
