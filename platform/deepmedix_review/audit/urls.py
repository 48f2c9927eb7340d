"""Address of the audit record."""

from django.urls import path

from deepmedix_review.audit.views import show_audit

page_urlpatterns = [path("audit/", show_audit, name="audit-list")]
