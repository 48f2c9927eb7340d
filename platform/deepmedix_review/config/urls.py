"""Every address of the platform: pages at the root, the JSON interface below /api/."""

from importlib import import_module
from importlib.util import find_spec

from django.urls import URLPattern, URLResolver, include, path
from drf_spectacular.views import SpectacularAPIView

from deepmedix_review.config.health import show_health

APPS = ("accounts", "audit", "studies", "registry", "reasoning", "reviews", "evaluation", "feedback")


def _patterns(name: str) -> list[URLPattern | URLResolver]:
    patterns: list[URLPattern | URLResolver] = []
    for app in APPS:
        module = f"deepmedix_review.{app}.urls"
        if find_spec(module) is not None:
            patterns += getattr(import_module(module), name, [])
    return patterns


urlpatterns = [
    path("healthz", show_health, name="health"),
    path("api/schema/", SpectacularAPIView.as_view(), name="schema"),
    path("api/", include(_patterns("api_urlpatterns"))),
    path("", include(_patterns("page_urlpatterns"))),
]
