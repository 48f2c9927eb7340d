"""Where models from outside are registered."""

from django.urls import path

from deepmedix_review.registry import api_views, code_views, views

page_urlpatterns = [
    path("models/new/", views.register, name="model-register"),
    path("models/new/live/", views.show_registrations, name="model-register-live"),
    path("models/new/server/", views.register_server, name="model-register-server"),
    path("models/<uuid:uid>/checks/", views.show_checks, name="model-checks"),
    path("models/<uuid:uid>/ask/", views.ask, name="model-ask"),
    path("models/<uuid:uid>/calibrate/", views.calibrate, name="model-calibrate"),
    path("models/<uuid:uid>/correct/", views.correct, name="model-correct"),
    path("models/code/", code_views.list_code, name="model-code-list"),
    path("models/<uuid:uid>/code/", code_views.show_code, name="model-code"),
    path("models/<uuid:uid>/code/revoke/", code_views.revoke, name="model-code-revoke"),
    path("models/jobs/<uuid:uid>/cancel/", views.cancel_job, name="model-job-cancel"),
    path("models/jobs/<uuid:uid>/retry/", views.retry_job, name="model-job-retry"),
]
api_urlpatterns = [
    path("model-folders/", api_views.FoldersView.as_view(), name="api-model-folder-list"),
    path("model-servers/", api_views.ServersView.as_view(), name="api-model-server-list"),
    path("models/<uuid:uid>/ask/", api_views.AskView.as_view(), name="api-model-ask"),
    path("models/<uuid:uid>/calibrate/", api_views.CalibrateView.as_view(), name="api-model-calibrate"),
    path("models/<uuid:uid>/correct/", api_views.CorrectView.as_view(), name="api-model-correct"),
    path("model-jobs/<uuid:uid>/", api_views.ModelJobView.as_view(), name="api-model-job"),
    path("model-jobs/<uuid:uid>/cancel/", api_views.CancelView.as_view(), name="api-model-job-cancel"),
    path("model-jobs/<uuid:uid>/retry/", api_views.RetryView.as_view(), name="api-model-job-retry"),
]
