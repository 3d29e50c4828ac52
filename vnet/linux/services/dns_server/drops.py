"""Why a DNS server or a resolver throws a message away."""

from __future__ import annotations

from vnet.base.drops import drop_reason

QUERY_MALFORMED = drop_reason(
    "dns-malformed",
    cause="the message to port 53 is short, no query, or its question cannot be read",
    cure="mend the sender; RFC 1035 section 4.1 has the format",
)
STRAY_ANSWER = drop_reason(
    "dns-stray-answer",
    cause="nobody asked what the DNS answer answers: another identifier, server or question",
    cure="nothing if it came too late; else look for who forges answers",
)
