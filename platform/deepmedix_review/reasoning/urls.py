"""Where inference is asked for and watched."""

from django.urls import path

from deepmedix_review.reasoning import api_views, recorded_views, views

page_urlpatterns = [
    path("models/import-completions/", recorded_views.import_completions, name="model-import"),
    path("inference/", views.show_inference_list, name="inference-list"),
    path("inference/request-all/", views.ask_about_all, name="inference-request-all"),
    path("inference/cancel-waiting/", views.cancel_waiting, name="inference-cancel-waiting"),
    path("inference/<uuid:uid>/asked/", views.show_asked, name="inference-asked"),
    path("inference/<uuid:uid>/cancel/", views.cancel, name="inference-cancel"),
    path("inference/<uuid:uid>/retry/", views.retry, name="inference-retry"),
    path("studies/<uuid:uid>/inference/", views.show_study_inference, name="inference-fragment"),
    path("studies/<uuid:uid>/inference/live/", views.show_live_part, name="inference-live"),
    path("studies/<uuid:uid>/inference/request/", views.ask, name="inference-request"),
]
api_urlpatterns = [
    path("studies/<uuid:uid>/inference/", api_views.StudyInferenceView.as_view()),
    path("recorded-completions/", api_views.RecordedView.as_view(), name="api-recorded-completions"),
    path("inference-jobs/<uuid:uid>/", api_views.InferenceJobView.as_view()),
    path("inference-jobs/<uuid:uid>/cancel/", api_views.CancelInferenceView.as_view()),
    path("inference-jobs/<uuid:uid>/retry/", api_views.RetryInferenceView.as_view()),
]
