"""The addresses of data sets, training runs and models."""

from django.urls import path

from deepmedix_review.feedback import api_views, model_views, views
from deepmedix_review.feedback.comparing.views import show_comparison
from deepmedix_review.feedback.datasets import views as dataset_views
from deepmedix_review.feedback.gating import shadow_views
from deepmedix_review.feedback.gating import views as gating_views
from deepmedix_review.feedback.handing_over import views as hand_over_views
from deepmedix_review.feedback.learned import views as learned_views
from deepmedix_review.feedback.runs import views as run_views
from deepmedix_review.feedback.speeds import views as speed_views

page_urlpatterns = [
    path("data-sets/", dataset_views.show_datasets, name="dataset-list"),
    path("data-sets/<uuid:uid>/", dataset_views.show_dataset, name="dataset-detail"),
    path("data-sets/<uuid:uid>/train/", dataset_views.train, name="dataset-train"),
    path("data-sets/<uuid:uid>/hand-over/", hand_over_views.hand_over, name="dataset-hand-over"),
    path("data-sets/<uuid:uid>/card.md", dataset_views.download_card, {"form": "md"}, name="dataset-card"),
    path(
        "data-sets/<uuid:uid>/card.json",
        dataset_views.download_card,
        {"form": "json"},
        name="dataset-card-json",
    ),
    path("learned-from/", learned_views.show_readers, name="learned-from"),
    path(
        "learned-from/readers/<uuid:uid>/",
        learned_views.show_trace,
        {"kind": "reader"},
        name="learned-from-reader",
    ),
    path(
        "learned-from/patients/<uuid:uid>/",
        learned_views.show_trace,
        {"kind": "patient"},
        name="learned-from-patient",
    ),
    path(
        "learned-from/readings/<uuid:uid>/",
        learned_views.show_trace,
        {"kind": "reading"},
        name="learned-from-reading",
    ),
    path("training-runs/", run_views.show_runs, name="training-run-list"),
    path("training-runs/compare/", run_views.show_comparison, name="training-run-compare"),
    path("training-runs/<uuid:uid>/", views.show_run, name="training-run"),
    path("training-runs/<uuid:uid>/config.json", run_views.download_config, name="training-run-config"),
    path("training-runs/<uuid:uid>/figures.csv", run_views.download_figures, name="training-run-figures"),
    path("training-runs/<uuid:uid>/samples/", run_views.show_samples, name="training-run-samples"),
    path("training-runs/<uuid:uid>/tensorboard.zip", run_views.download_log, name="training-run-log"),
    path(
        "training-runs/<uuid:uid>/cluster.log",
        run_views.download_cluster_log,
        name="training-run-cluster-log",
    ),
    path("training-runs/<uuid:uid>/live/", views.show_live_run, name="training-run-live"),
    path("training-runs/<uuid:uid>/cancel/", views.cancel, name="training-run-cancel"),
    path("training-runs/<uuid:uid>/retry/", views.retry, name="training-run-retry"),
    path("hand-overs/", hand_over_views.show_hand_overs, name="hand-over-list"),
    path("hand-overs/live/", hand_over_views.show_live_hand_overs, name="hand-over-live"),
    path("hand-overs/take-back/", hand_over_views.take_back, name="hand-over-take-back"),
    path(
        "hand-overs/returns/<uuid:uid>/cancel/", hand_over_views.cancel_taking, name="hand-over-cancel-return"
    ),
    path("hand-overs/<uuid:uid>/bundle.zip", hand_over_views.download_bundle, name="hand-over-bundle"),
    path("hand-overs/<uuid:uid>/cancel/", hand_over_views.cancel_writing, name="hand-over-cancel"),
    path("hand-overs/<uuid:uid>/delete/", hand_over_views.delete_bundle, name="hand-over-delete"),
    path("models/", model_views.show_models, name="model-list"),
    path("models/compare/", show_comparison, name="model-compare"),
    path("models/gate-policies/", gating_views.show_policies, name="gate-policy-list"),
    path("models/gate-policies/new/", gating_views.next_policy, name="gate-policy-new"),
    path("models/gate-policies/take-over/", gating_views.take_over, name="gate-policy-take-over"),
    path("models/gate-policies/<int:number>/", gating_views.show_policy, name="gate-policy"),
    path("models/roll-back/", model_views.return_to_former_model, name="model-roll-back"),
    path("models/<uuid:uid>/", model_views.show_model, name="model-detail"),
    path("models/<uuid:uid>/speeds/", speed_views.show_version_speeds, name="model-speeds"),
    path("inference/speeds/", speed_views.show_engine_speeds, name="inference-speeds"),
    path("models/<uuid:uid>/gate/", model_views.show_live_gate, name="model-gate"),
    path("models/<uuid:uid>/shadow-study/", shadow_views.shadow_study, name="model-shadow-study"),
    path("models/<uuid:uid>/promote/", model_views.promote, name="model-promote"),
    path("models/<uuid:uid>/measure/", model_views.measure, name="model-measure"),
    path("models/<uuid:uid>/retire/", model_views.retire, name="model-retire"),
    path(
        "models/<uuid:uid>/measurements/cancel/", model_views.cancel_measurements, name="measurements-cancel"
    ),
    path("models/<uuid:uid>/measurements/retry/", model_views.retry_measurements, name="measurements-retry"),
    path(
        "models/<uuid:uid>/measurements/<uuid:measurement>/cancel/",
        model_views.cancel_measurement,
        name="measurement-cancel",
    ),
    path(
        "models/<uuid:uid>/measurements/<uuid:measurement>/retry/",
        model_views.retry_measurement,
        name="measurement-retry",
    ),
    path("held-out/<uuid:uid>/<int:seed>.png", model_views.show_held_out_film, name="held-out-film"),
]
api_urlpatterns = [
    path("data-sets/", api_views.DatasetsView.as_view(), name="api-dataset-list"),
    path("data-sets/<uuid:uid>/", api_views.DatasetView.as_view(), name="api-dataset"),
    path(
        "learned-from/readers/<uuid:uid>/",
        learned_views.TraceView.as_view(kind="reader"),
        name="api-learned-from-reader",
    ),
    path(
        "learned-from/patients/<uuid:uid>/",
        learned_views.TraceView.as_view(kind="patient"),
        name="api-learned-from-patient",
    ),
    path(
        "learned-from/readings/<uuid:uid>/",
        learned_views.TraceView.as_view(kind="reading"),
        name="api-learned-from-reading",
    ),
    path("training-runs/", api_views.TrainingRunsView.as_view(), name="api-training-run-list"),
    path("training-runs/<uuid:uid>/", api_views.TrainingRunView.as_view(), name="api-training-run"),
    path("training-runs/<uuid:uid>/cancel/", api_views.CancelView.as_view(), name="api-training-run-cancel"),
    path("training-runs/<uuid:uid>/retry/", api_views.RetryView.as_view(), name="api-training-run-retry"),
    path("models/", api_views.ModelsView.as_view(), name="api-model-list"),
    path("models/<uuid:uid>/", api_views.ModelView.as_view(), name="api-model"),
    path("models/<uuid:uid>/promote/", api_views.PromoteView.as_view(), name="api-model-promote"),
    path("models/<uuid:uid>/measure/", api_views.MeasureView.as_view(), name="api-model-measure"),
    path("models/<uuid:uid>/retire/", api_views.RetireView.as_view(), name="api-model-retire"),
]
