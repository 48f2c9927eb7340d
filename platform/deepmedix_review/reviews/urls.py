"""The addresses of readers' work."""

from django.urls import path

from deepmedix_review.reviews.conduct import views as conduct_views
from deepmedix_review.reviews.criteria import views as criteria_views
from deepmedix_review.reviews.designing import views as design_views
from deepmedix_review.reviews.reading import api_views
from deepmedix_review.reviews.results import views as results_views
from deepmedix_review.reviews.worklist import views as worklist_views

page_urlpatterns = [
    path("worklist/", worklist_views.show_worklist, name="worklist"),
    path("invitations/<uuid:uid>/", worklist_views.answer_invitation, name="invitation-answer"),
    path("notices/<uuid:uid>/dismiss/", worklist_views.dismiss_notice, name="notice-dismiss"),
    path("pools/<uuid:uid>/next/", worklist_views.take_case, name="take-case"),
    path("assignments/<uuid:uid>/read/", worklist_views.open_assignment, name="open-reading"),
    path("assignments/<uuid:uid>/give-back/", worklist_views.give_back, name="give-case-back"),
    path("readings/<uuid:uid>/", worklist_views.show_reading_page, name="reading"),
    path("readings/<uuid:uid>/amend/", worklist_views.amend, name="amend-reading"),
    path("readings/<uuid:uid>/discard/", worklist_views.discard_amendment, name="discard-amendment"),
    path("reader-studies/", conduct_views.list_reader_studies, name="reader-study-list"),
    path("reader-studies/new/", design_views.create, name="reader-study-create"),
    path("reader-studies/example/", design_views.show_example, name="reader-study-example"),
    path("reader-studies/plan/", design_views.show_plan, name="reader-study-plan"),
    path("reader-studies/<uuid:uid>/", conduct_views.show_reader_study, name="reader-study-detail"),
    path("reader-studies/<uuid:uid>/design/", design_views.redesign, name="reader-study-design"),
    path("reader-studies/<uuid:uid>/delete/", design_views.delete, name="reader-study-delete"),
    path("reader-studies/<uuid:uid>/duplicate/", design_views.duplicate, name="reader-study-duplicate"),
    path("reader-studies/<uuid:uid>/lists.csv", conduct_views.download_lists, name="reader-study-lists"),
    path("reader-studies/<uuid:uid>/move/", conduct_views.move, name="reader-study-move"),
    path("reader-studies/<uuid:uid>/invite/", conduct_views.invite, name="reader-study-invite"),
    path("reader-studies/<uuid:uid>/remove/", conduct_views.remove, name="reader-study-remove"),
    path("reader-studies/<uuid:uid>/extend/", conduct_views.extend, name="reader-study-extend"),
    path("reader-studies/<uuid:uid>/adjudicate/", conduct_views.adjudicate, name="reader-study-adjudicate"),
    path("reader-studies/<uuid:uid>/results/", results_views.show_results, name="reader-study-results"),
    path(
        "reader-studies/<uuid:uid>/results/strip/",
        results_views.show_live_strip,
        name="reader-study-results-strip",
    ),
    path(
        "reader-studies/<uuid:uid>/results/<slug:key>.csv",
        results_views.download_figure,
        name="reader-study-results-csv",
    ),
    path(
        "reader-studies/<uuid:uid>/results/<slug:key>.tex",
        results_views.download_figure,
        {"form": "tex"},
        name="reader-study-results-tex",
    ),
    path(
        "reader-studies/<uuid:uid>/results/all.zip",
        results_views.download_all,
        name="reader-study-results-all",
    ),
    path("criteria/", criteria_views.list_criteria, name="criterion-list"),
    path("criteria/new/", criteria_views.create_criterion, name="criterion-create"),
    path("criteria/preview/", criteria_views.preview, name="criterion-preview"),
    path("criteria/<uuid:uid>/", criteria_views.change_criterion, name="criterion-detail"),
    path("criteria/<uuid:uid>/retire/", criteria_views.retire, name="criterion-retire"),
]
api_urlpatterns = [
    path("readings/<uuid:uid>/", api_views.ReadingView.as_view(), name="api-reading"),
    path("readings/<uuid:uid>/changes/", api_views.ReadingChangesView.as_view(), name="api-reading-changes"),
    path(
        "readings/<uuid:uid>/completions/",
        api_views.ReadingCompletionsView.as_view(),
        name="api-reading-completions",
    ),
    path(
        "readings/<uuid:uid>/first-read/lock/",
        api_views.FirstReadLockView.as_view(),
        name="api-reading-lock-first-read",
    ),
    path(
        "readings/<uuid:uid>/discard/", api_views.AmendmentDiscardView.as_view(), name="api-reading-discard"
    ),
    path("readings/<uuid:uid>/open/", api_views.ReadingOpeningView.as_view(), name="api-reading-open"),
    path(
        "readings/<uuid:uid>/name-on-film/",
        api_views.NameOnFilmView.as_view(),
        name="api-reading-name-on-film",
    ),
    path("readings/<uuid:uid>/sign/", api_views.ReadingSignatureView.as_view(), name="api-reading-sign"),
]
