"""Every address of the platform: pages at the root, the JSON interface below /api/."""

from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView

from deepmedix_review.accounts import urls as accounts
from deepmedix_review.audit import urls as audit
from deepmedix_review.common.api import NoSuchAddressView
from deepmedix_review.config.health import show_health
from deepmedix_review.erasure import urls as erasure
from deepmedix_review.evaluation import urls as evaluation
from deepmedix_review.exports import urls as exports
from deepmedix_review.feedback import urls as feedback
from deepmedix_review.reasoning import urls as reasoning
from deepmedix_review.registry import urls as registry
from deepmedix_review.reviews import urls as reviews
from deepmedix_review.studies import urls as studies
from deepmedix_review.studies.dicomweb import urls as dicomweb
from deepmedix_review.webhooks import urls as webhooks

PAGES = (
    accounts,
    audit,
    studies,
    registry,
    reasoning,
    reviews,
    evaluation,
    feedback,
    exports,
    webhooks,
    erasure,
)
INTERFACES = (accounts, studies, registry, reasoning, reviews, evaluation, feedback, exports, erasure)

urlpatterns = [
    path("healthz", show_health, name="health"),
    path("api/schema/", SpectacularAPIView.as_view(), name="schema"),
    *(path("api/", include(app.api_urlpatterns)) for app in INTERFACES),
    # With its slash: without one Django first tries whether an address has it.
    path("api/", NoSuchAddressView.as_view(), name="api"),
    path("api/<path:address>/", NoSuchAddressView.as_view(), name="api-no-such-address"),
    path("dicom-web/", include(dicomweb)),
    *(path("", include(app.page_urlpatterns)) for app in PAGES),
]

handler500 = "deepmedix_review.common.error_pages.show_error"
