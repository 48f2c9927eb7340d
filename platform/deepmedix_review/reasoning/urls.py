"""Where inference is asked for and watched."""

from django.urls import path

from deepmedix_review.reasoning import api_views, recorded_views, views
from deepmedix_review.reasoning.batches import api_views as batch_api
from deepmedix_review.reasoning.batches import views as batch_views
from deepmedix_review.reasoning.workers import api_views as worker_api
from deepmedix_review.reasoning.workers import views as worker_views

page_urlpatterns = [
    path("models/import-completions/", recorded_views.import_completions, name="model-import"),
    path("inference/", views.show_inference_list, name="inference-list"),
    path("inference/request-all/", views.ask_about_all, name="inference-request-all"),
    path("inference/cancel-waiting/", views.cancel_waiting, name="inference-cancel-waiting"),
    path("inference/workers/", worker_views.show_workers, name="inference-workers"),
    path("inference/batches/", batch_views.show_batches, name="inference-batches"),
    path("inference/batches/new/", batch_views.make_batch, name="inference-batch-new"),
    path("inference/batches/<uuid:uid>/", batch_views.show_batch, name="inference-batch"),
    path("inference/batches/<uuid:uid>/pause/", batch_views.pause, name="inference-batch-pause"),
    path("inference/batches/<uuid:uid>/resume/", batch_views.resume, name="inference-batch-resume"),
    path("inference/batches/<uuid:uid>/cancel/", batch_views.cancel, name="inference-batch-cancel"),
    path("inference/batches/<uuid:uid>/retry/", batch_views.retry, name="inference-batch-retry"),
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
    path("inference-workers/", worker_api.WorkersView.as_view(), name="api-inference-workers"),
    path("inference-batches/", batch_api.BatchesView.as_view()),
    path("inference-batches/<uuid:uid>/", batch_api.BatchView.as_view()),
    path("inference-batches/<uuid:uid>/pause/", batch_api.PauseBatchView.as_view()),
    path("inference-batches/<uuid:uid>/resume/", batch_api.ResumeBatchView.as_view()),
    path("inference-batches/<uuid:uid>/cancel/", batch_api.CancelBatchView.as_view()),
    path("inference-batches/<uuid:uid>/retry/", batch_api.RetryBatchView.as_view()),
    path("inference-jobs/<uuid:uid>/", api_views.InferenceJobView.as_view()),
    path("inference-jobs/<uuid:uid>/cancel/", api_views.CancelInferenceView.as_view()),
    path("inference-jobs/<uuid:uid>/retry/", api_views.RetryInferenceView.as_view()),
]
