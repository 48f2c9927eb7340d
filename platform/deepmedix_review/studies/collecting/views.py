"""Pages on collections: the list, a new one by a filter or of ticked studies, and one with its versions."""

import uuid
from collections.abc import Callable, Sequence

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from deepmedix_review.accounts.permissions import Capability, may, needs_capability
from deepmedix_review.accounts.selectors import acting_user
from deepmedix_review.audit.services import record_event
from deepmedix_review.common.errors import RefusedByRule
from deepmedix_review.common.paging import read_before
from deepmedix_review.studies.collecting import selectors, services
from deepmedix_review.studies.collecting.contents import Contents
from deepmedix_review.studies.collecting.filters import StudyFilter
from deepmedix_review.studies.collecting.forms import (
    FilterForm,
    NameForm,
    NewPicksForm,
    StudyFilterForm,
    ticked,
)
from deepmedix_review.studies.collecting.plot import contents_plot
from deepmedix_review.studies.collecting.uses import uses_of
from deepmedix_review.studies.models import Collection, CollectionVersion, Split

viewers_only = needs_capability(Capability.VIEW_ALL_STUDIES)
admins_only = needs_capability(Capability.CHANGE_COLLECTIONS)


@require_safe
@viewers_only
def list_collections(request: HttpRequest) -> HttpResponse:
    page = selectors.collection_page(acting_user(request), before=read_before(request.GET.get("before")))
    return render(request, "studies/collections/list.html", {"collections": page})


@require_http_methods(["GET", "HEAD", "POST"])
@admins_only
def create(request: HttpRequest) -> HttpResponse:
    """By a filter. An address may say what the form begins with, as the list of studies does."""
    if request.method != "POST":
        asked = StudyFilterForm(request.GET).asked()
        return _show_form(request, FilterForm.beginning_with(request.GET), asked)
    form = FilterForm(request.POST)
    if form.is_valid() and request.POST.get("action") == "create":
        try:
            version = services.collect_by_filter(
                name=form.cleaned_data["name"],
                asked=form.asked(),
                shares=form.shares(),
                actor=acting_user(request),
            )
        except RefusedByRule as refusal:
            form.add_error(None, str(refusal))
        else:
            return _kept(request, version)
    return _show_form(request, form, form.asked(), is_sent=request.POST.get("action") == "create")


@require_POST
@admins_only
def show_preview(request: HttpRequest) -> HttpResponse:
    """What the form's filter takes at this moment; nothing is kept."""
    form = FilterForm(request.POST)
    asked = form.asked()
    context = {"preview": selectors.preview(asked), "asked": asked, "problems": _problems(form)}
    return render(request, "studies/collections/preview.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@admins_only
def pick(request: HttpRequest) -> HttpResponse:
    """What becomes of ticked studies: a new collection, or the next version of one."""
    sent, user = (request.POST if request.method == "POST" else request.GET), acting_user(request)
    uids, action = ticked(sent.getlist("study")), request.POST.get("action", "")
    if not uids:
        messages.error(request, "No study was ticked. Tick one or more, then add them.")
        return redirect("study-list")
    form = NewPicksForm(request.POST if action == "create" else None)
    try:
        if action == "add":
            return _kept(request, services.change_picks(collection=_chosen(request), add=uids, actor=user))
        if form.is_valid():
            made = services.collect_picks(
                name=form.cleaned_data["name"], picks=uids, shares=form.shares(), actor=user
            )
            return _kept(request, made)
    except RefusedByRule as refusal:
        messages.error(request, str(refusal))
    context = {
        "studies": selectors.picked(user, uids),
        "uids": uids,
        "collections": selectors.hand_picked(),
        "chosen": request.POST.get("collection", ""),
        "form": form,
    }
    return render(request, "studies/collections/pick.html", context)


@require_safe
@viewers_only
def show_collection(request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
    """The newest version, or the one that the address names."""
    user, asked = acting_user(request), request.GET
    collection = selectors.collection_for(user, uid)
    version = selectors.version_of(collection, asked.get("version"))
    side = asked.get("side", "") if asked.get("side") in Split.values else ""
    contents = Contents.of(version)
    versions = selectors.versions_of(collection)
    is_newest, uses = version.pk == versions[0].pk, uses_of(collection, user=user)
    context = {
        "collection": collection,
        "shares": services.shares_of(collection),
        "asked": StudyFilter.from_json(collection.filter),
        "version": version,
        "is_newest": is_newest,
        "takes_out": is_newest
        and collection.kind == Collection.Kind.PICKS
        and may(user, Capability.CHANGE_COLLECTIONS),
        "versions": [(row, uses.get(row.pk, ())) for row in versions],
        "is_used": bool(uses),
        "contents": contents,
        "plot": contents_plot(contents),
        "num_withdrawn": selectors.count_withdrawn(version),
        "side": side,
        "members": selectors.member_page(user, version, side=side, before=read_before(asked.get("before"))),
        "name_form": NameForm(initial={"name": collection.name}),
    }
    response = render(request, "studies/collections/detail.html", context)
    record_event(
        actor=user, action="view_collection", subject=collection, details={"version": version.number}
    )
    return response


@require_POST
@admins_only
def rename(request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
    user = acting_user(request)
    collection = selectors.collection_for(user, uid)

    def act() -> str:
        renamed = services.rename_collection(
            collection=collection, name=request.POST.get("name", ""), actor=user
        )
        return f"It is named {renamed.name} now."

    return _answer(request, collection, act)


@require_POST
@admins_only
def refresh(request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
    user = acting_user(request)
    collection = selectors.collection_for(user, uid)
    return _answer(
        request,
        collection,
        lambda: _made(services.refresh_collection(collection=collection, actor=user)),
    )


@require_POST
@admins_only
def take_out(request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
    """Ticked members leave a hand-picked collection; the last version stays as it is."""
    user = acting_user(request)
    collection = selectors.collection_for(user, uid)
    uids = ticked(request.POST.getlist("study"))

    def act() -> str:
        if not uids:
            raise RefusedByRule("No study was ticked. Tick those to take out.")
        return _made(services.change_picks(collection=collection, take_out=uids, actor=user))

    return _answer(request, collection, act)


@require_POST
@admins_only
def delete_version(request: HttpRequest, uid: uuid.UUID, number: int) -> HttpResponse:
    user = acting_user(request)
    collection = selectors.collection_for(user, uid)
    version = selectors.version_of(collection, number)

    def act() -> str:
        services.delete_version(version=version, actor=user)
        return f"Version {number} is deleted; its studies stay."

    return _answer(request, collection, act)


@require_POST
@admins_only
def delete(request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
    user = acting_user(request)
    collection = selectors.collection_for(user, uid)
    try:
        services.delete_collection(collection=collection, actor=user)
    except RefusedByRule as refusal:
        messages.error(request, str(refusal))
        return redirect("collection-detail", uid)
    messages.success(request, f"{collection.name} is deleted; its studies stay.")
    return redirect("collection-list")


def _show_form(
    request: HttpRequest, form: FilterForm, asked: StudyFilter, *, is_sent: bool = False
) -> HttpResponse:
    context = {
        "form": form,
        "preview": selectors.preview(asked),
        "asked": asked,
        "is_sent": is_sent,
        "problems": (),
    }
    return render(request, "studies/collections/create.html", context)


def _problems(form: FilterForm) -> Sequence[str]:
    """Of the filter alone: a form that is being filled has no name yet."""
    return [
        f"{form[name].label}: {' '.join(str(error) for error in errors)}"
        for name, errors in form.errors.items()
        if name in StudyFilterForm.base_fields
    ]


def _answer(request: HttpRequest, collection: Collection, act: Callable[[], str]) -> HttpResponse:
    """Back to the collection, with what `act` says or why it was refused."""
    try:
        messages.success(request, act())
    except RefusedByRule as refusal:
        messages.error(request, str(refusal))
    return redirect("collection-detail", collection.uid)


def _kept(request: HttpRequest, version: CollectionVersion) -> HttpResponse:
    messages.success(request, _made(version))
    return redirect("collection-detail", version.collection.uid)


def _made(version: CollectionVersion) -> str:
    return f"Version {version.number} of {version.collection} has {_size(version)}."


def _size(version: CollectionVersion) -> str:
    studies = "study" if version.num_studies == 1 else "studies"
    patients = "patient" if version.num_patients == 1 else "patients"
    return f"{version.num_studies:,} {studies} of {version.num_patients:,} {patients}"


def _chosen(request: HttpRequest) -> Collection:
    """The hand-picked collection that the page names."""
    uids = ticked([request.POST.get("collection", "")])
    if not uids:
        raise RefusedByRule("No collection was chosen. Choose one, or make a new one.")
    return selectors.collection_for(acting_user(request), uids[0])
