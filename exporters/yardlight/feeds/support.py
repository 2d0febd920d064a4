"""A row of the table of feeds' platforms in exporters/README.md, in the order of its columns."""

from __future__ import annotations


def support(product: str, *, streams: str, rights: str, evidence: str) -> dict[str, str]:
    """What a platform is, which streams its module knows by name, the least rights to read them, and how we know."""
    return {"product": product, "streams": streams, "least rights": rights, "evidence": evidence}
