"""The addresses of erasures. None holds a patient's pseudonym."""

from django.urls import path

from deepmedix_review.erasure import api_views, views
from deepmedix_review.erasure.retention import api_views as retention_api
from deepmedix_review.erasure.retention import views as retention

page_urlpatterns = [
    path("studies/<uuid:uid>/erase/", views.erase_study, name="study-erase"),
    path("studies/<uuid:uid>/erase-patient/", views.erase_patient, name="patient-erase"),
    path("erasures/", views.list_erasures, name="erasure-list"),
    path("erasures/patient/", views.find_patient, name="erasure-find-patient"),
    path("erasures/<uuid:uid>/", views.show_erasure, name="erasure-detail"),
    path("erasures/<uuid:uid>/cancel/", views.cancel, name="erasure-cancel"),
    path("erasures/<uuid:uid>/retry/", views.retry, name="erasure-retry"),
    path("erasures/<uuid:uid>/let-in/", views.let_in, name="erasure-let-in"),
    path("studies/<uuid:uid>/keep/", retention.keep_study, name="study-keep"),
    path("studies/<uuid:uid>/keep/end/", retention.end_keeping, name="study-keep-end"),
    path("retention/", retention.show_retention, name="retention"),
    path("retention/rules/<uuid:uid>/switch/", retention.switch_rule, name="retention-rule-switch"),
    path("retention/rules/<uuid:uid>/delete/", retention.delete_rule, name="retention-rule-delete"),
    path("retention/erase/", retention.erase_due, name="retention-erase"),
    path("retention/batches/<uuid:uid>/", retention.show_batch, name="retention-batch"),
    path("retention/batches/<uuid:uid>/cancel/", retention.cancel_batch, name="retention-batch-cancel"),
    path("retention/batches/<uuid:uid>/retry/", retention.retry_batch, name="retention-batch-retry"),
]
api_urlpatterns = [
    path("erasures/", api_views.ErasuresView.as_view(), name="api-erasure-list"),
    path("erasures/preview/", api_views.PreviewView.as_view(), name="api-erasure-preview"),
    path("erasures/<uuid:uid>/", api_views.ErasureView.as_view(), name="api-erasure"),
    path("erasures/<uuid:uid>/cancel/", api_views.CancelView.as_view(), name="api-erasure-cancel"),
    path("erasures/<uuid:uid>/retry/", api_views.RetryView.as_view(), name="api-erasure-retry"),
    path("erasures/<uuid:uid>/let-in/", api_views.LetInView.as_view(), name="api-erasure-let-in"),
    path("retention/rules/", retention_api.RulesView.as_view(), name="api-retention-rules"),
    path("retention/rules/<uuid:uid>/", retention_api.RuleView.as_view(), name="api-retention-rule"),
    path("retention/due/", retention_api.DueView.as_view(), name="api-retention-due"),
    path("retention/keep/<uuid:uid>/", retention_api.KeepingView.as_view(), name="api-retention-keep"),
    path("retention/batches/", retention_api.BatchesView.as_view(), name="api-retention-batches"),
    path(
        "retention/batches/preview/",
        retention_api.BatchPreviewView.as_view(),
        name="api-retention-batch-preview",
    ),
    path("retention/batches/<uuid:uid>/", retention_api.BatchView.as_view(), name="api-retention-batch"),
    path(
        "retention/batches/<uuid:uid>/cancel/",
        retention_api.CancelBatchView.as_view(),
        name="api-retention-batch-cancel",
    ),
    path(
        "retention/batches/<uuid:uid>/retry/",
        retention_api.RetryBatchView.as_view(),
        name="api-retention-batch-retry",
    ),
]
