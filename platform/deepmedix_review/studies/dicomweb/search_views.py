"""Searches over DICOMweb (QIDO-RS, PS3.18 section 10.6): each is put on the record, without the values asked
for."""

from django.http import HttpResponse
from rest_framework.request import Request

from deepmedix_review.accounts.permissions import Capability, needs
from deepmedix_review.accounts.selectors import acting_user
from deepmedix_review.audit.services import record_event
from deepmedix_review.studies.dicomweb.attributes import Level
from deepmedix_review.studies.dicomweb.negotiation import choose
from deepmedix_review.studies.dicomweb.query import read_search
from deepmedix_review.studies.dicomweb.searching import names_asked, search
from deepmedix_review.studies.dicomweb.service import JSON_OFFERS, DicomWebView, answer_json, service_address

MORE = "There are additional results that can be requested: ask again with offset={offset}."


class SearchView(DicomWebView):
    """Who reads cases finds them on the worklist: here search those who may view every study."""

    permission_classes = (*DicomWebView.permission_classes, needs(Capability.VIEW_ALL_STUDIES))
    level = Level.STUDY

    def get(self, request: Request, study: str = "", series: str = "") -> HttpResponse:
        offer = choose(request, JSON_OFFERS)
        within = {Level.STUDY: study, Level.SERIES: series}
        asked = read_search(
            request.query_params,
            level=self.level,
            within={parent: uid for parent, uid in within.items() if uid},
        )
        user = acting_user(request)
        found = search(user, asked, address=service_address(request))
        record_event(
            actor=user,
            action=f"search_{self.level.plural}",
            subject=user,
            details={"by": names_asked(asked), "num_results": len(found.rows)},
        )
        more = [MORE.format(offset=asked.offset + len(found.rows))] if found.has_more and found.rows else []
        return answer_json(request, found.rows, offer=offer, warnings=[*asked.warnings, *more])
