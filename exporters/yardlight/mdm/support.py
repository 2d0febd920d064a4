"""What a platform tells of devices and what that is known from: the rows of the support matrix."""

from __future__ import annotations

CANNOT = "cannot tell"


def support(
    product: str,
    *,
    rights: str,
    last_word: str,
    compliance: str = CANNOT,
    no_policy: str = CANNOT,
    group: str = CANNOT,
    apps: str = CANNOT,
    unapproved: str = CANNOT,
    orders: str = CANNOT,
    settings: str = CANNOT,
    credential: str = CANNOT,
    counted: str = CANNOT,
    evidence: str,
) -> dict[str, str]:
    """A row; what is left out, the platform does not tell, or not to a reader of its lists."""
    return {
        "product": product,
        "least rights": rights,
        "last word of the device": last_word,
        "compliance": compliance,
        "no policy": no_policy,
        "group": group,
        "app versions": apps,
        "unapproved apps": unapproved,
        "pending actions": orders,
        "tenant settings": settings,
        "credential's end": credential,
        "own count": counted,
        "evidence": evidence,
    }
