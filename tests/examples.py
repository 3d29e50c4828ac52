"""How many examples hypothesis draws: some in the plain run, all in the thorough one.

``pytest -m hypothesis --hypothesis-profile=thorough`` draws all.
"""

from __future__ import annotations

from hypothesis import HealthCheck, settings

_ALL = 100
"""How many the thorough profile draws where a test does not say."""


def register_profiles() -> None:
    """Make ``quick`` and ``thorough`` known, and ``quick`` what holds unless asked otherwise."""
    # Shared machines stall now and then: a slow example is not a wrong one, nor one drawn slowly.
    thorough = settings(
        max_examples=_ALL, deadline=None, suppress_health_check=[HealthCheck.too_slow]
    )
    settings.register_profile("thorough", thorough)
    settings.register_profile("quick", thorough, max_examples=_ALL // 4)
    settings.load_profile("quick")


def examples(count: int) -> int:
    """``count`` in the thorough run, and the same share of it as of others in the plain one."""
    return max(1, count * settings().max_examples // _ALL)
