"""Where messages may go: the operator names it, so that nobody makes the platform ask machines beside it."""

from urllib.parse import urlsplit

from django.conf import settings

from deepmedix_review.common.errors import RefusedByRule


def require_allowed(url: str) -> None:
    """Raises RefusedByRule with the way out."""
    try:
        parts = urlsplit(url)
        origin, named = _origin(url), {_origin(one) for one in settings.WEBHOOK_ORIGINS}
    except ValueError:
        raise RefusedByRule("This is no address. Write one like https://hooks.example.org/reviews.") from None
    if parts.username or parts.password or parts.fragment:
        raise RefusedByRule("Write the address without a name, a password or a # in it.")
    if origin not in named:
        allowed = ", ".join(settings.WEBHOOK_ORIGINS) or "none yet"
        raise RefusedByRule(
            f"Messages may not go there. Whoever runs this installation names where, in WEBHOOK_ORIGINS: "
            f"{allowed}."
        )


def _origin(url: str) -> tuple[str, str, int]:
    """Raises ValueError for what has none."""
    parts = urlsplit(url)
    if parts.scheme not in ("https", "http") or not parts.hostname:
        raise ValueError(url)
    return parts.scheme, parts.hostname.lower(), parts.port or (443 if parts.scheme == "https" else 80)
