"""`{% vite "app" %}`: the style sheets and the script of one Vite entry, by their hashed names."""

import json
from functools import lru_cache

from django import template
from django.conf import settings
from django.templatetags.static import static
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

register = template.Library()


@lru_cache(maxsize=1)
def _manifest(modified_ns: int) -> dict[str, dict[str, object]]:
    content: dict[str, dict[str, object]] = json.loads(settings.VITE_MANIFEST.read_text("utf-8"))
    return {str(chunk["name"]): chunk for chunk in content.values() if chunk.get("isEntry")}


@register.simple_tag(takes_context=True)
def vite(context: template.Context, entry: str) -> SafeString:
    """Raises FileNotFoundError where the frontend was not built: `make setup` builds it."""
    chunk = _manifest(settings.VITE_MANIFEST.stat().st_mtime_ns)[entry]
    request = context.get("request")
    nonce = getattr(request, "csp_nonce", "")
    script = format_html(
        '<script type="module" nonce="{}" src="{}"></script>', nonce, static(f"viewer/{chunk['file']}")
    )
    return _links(chunk) + script


@register.simple_tag
def vite_styles(entry: str) -> SafeString:
    """The style sheets alone; none where the frontend was not built, since an error page must show."""
    try:
        return _links(_manifest(settings.VITE_MANIFEST.stat().st_mtime_ns)[entry])
    except (OSError, KeyError):
        return SafeString("")


def _links(chunk: dict[str, object]) -> SafeString:
    sheets = chunk.get("css", [])
    assert isinstance(sheets, list)
    return format_html_join(
        "", '<link rel="stylesheet" href="{}">', ((static(f"viewer/{s}"),) for s in sheets)
    )
