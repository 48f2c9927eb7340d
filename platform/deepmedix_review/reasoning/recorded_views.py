"""The page on which completions that were made elsewhere are brought in."""

from pathlib import Path
from typing import Any

from django import forms
from django.contrib import messages
from django.core.files.uploadedfile import TemporaryUploadedFile
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from deepmedix_review.accounts.permissions import Capability, needs_capability
from deepmedix_review.accounts.selectors import acting_user
from deepmedix_review.common.errors import NotYours, RefusedByRule
from deepmedix_review.reasoning.recorded import ReadFile, import_recorded, read_file
from deepmedix_review.registry.forms import VersionForm
from deepmedix_review.studies.uploads import lacked_room
from inference.presets import PRESETS

MOST_SHOWN = 200


class RecordedForm(VersionForm):
    """Sampling is not asked: nobody samples what is written."""

    file = forms.FileField(label="File", help_text="JSON, one object a line: image, model and text.")
    model = forms.CharField(
        label="Model in the file", required=False, help_text="Where it holds several, one of them."
    )
    leaves_out = forms.BooleanField(label="Leave out what matches no film", required=False)
    field_order = ("file", "model", "preset")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, presets=tuple(PRESETS), **kwargs)
        for name in ("temperature", "max_new_tokens"):
            del self.fields[name]
        self.fields["licence"].help_text = "Of the outputs. Left empty: not told."


@require_http_methods(["GET", "HEAD", "POST"])
@needs_capability(Capability.REGISTER_MODELS)
def import_completions(request: HttpRequest) -> HttpResponse:
    """*Check* says what matches and keeps nothing; *Import* keeps it whole or not at all."""
    is_sent = request.method == "POST"
    form = RecordedForm(request.POST if is_sent else None, request.FILES if is_sent else None)
    read: ReadFile | None = None
    if lacked_room(request):
        full = "The disk is full. Nothing was kept; once there is space, send it again."
        form.add_error("file", full)
    elif is_sent and form.is_valid():
        said, file = form.cleaned_data, form.cleaned_data["file"]
        assert isinstance(file, TemporaryUploadedFile)
        path, called = Path(file.temporary_file_path()), str(file.name)
        try:
            read = read_file(path, called=called, model=said["model"])
            if "check" not in request.POST:
                done = import_recorded(
                    path,
                    called=called,
                    model=said["model"],
                    wanted=form.wanted(),
                    leaves_out=said["leaves_out"],
                    actor=acting_user(request),
                )
                left_out = (
                    f" {read.num_unmatched} that match no film were left out." if read.unmatched else ""
                )
                messages.success(
                    request,
                    f"{done.num_new} completions of {read.num_films} films are in {done.version}.{left_out}",
                )
                return redirect("model-detail", done.version.uid)
        except NotYours:
            raise
        except RefusedByRule as refusal:
            form.add_error(None, str(refusal))
    # What *Check* found is put into the page as it stands, so that the chosen file stays chosen.
    is_part = "HX-Request" in request.headers
    return render(
        request,
        "reasoning/recorded_read.html" if is_part else "reasoning/recorded.html",
        {
            "form": form,
            "read": read,
            "is_part": is_part,
            "unmatched": read.unmatched[:MOST_SHOWN] if read else (),
        },
    )
