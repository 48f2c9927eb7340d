"""The regions that one reader and a model put on a film, as a presentation state that any viewer draws."""

from collections.abc import Iterator

import numpy as np
from highdicom import pr
from highdicom.color import CIELabColor
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.sequence import Sequence

from deepmedix_review.exports.dicom.film import PURPOSE, date_by, made_of
from deepmedix_review.exports.dicom.marked import Box, Group, Layer, Marked
from inference.shading import LookupTable, lookup_tables

WHAT = "presentation state"
SERIES_NUMBER = 902
LABEL = "READING"
# What each layer holds, and its red, green and blue.
LAYERS = {
    Layer.MODEL: ("Regions of the model, not judged or put elsewhere", (150, 180, 220)),
    Layer.KEPT: ("Regions of the model that the reader found fitting", (90, 200, 130)),
    Layer.REJECTED: ("Regions of the model that the reader found wrong", (230, 100, 90)),
    Layer.CORRECTED: ("Regions of the model where the reader put them", (240, 190, 80)),
    Layer.OWN: ("Regions that the reader drew", (200, 140, 230)),
}
# How the film's values become grey: of the film, and of the state instead (PS3.3 A.33.1).
_MODALITY_TABLES, _VOI_TABLES = "ModalityLUTSequence", "VOILUTSequence"
_RESCALE = ("RescaleIntercept", "RescaleSlope", "RescaleType")
_WINDOW = ("WindowCenter", "WindowWidth", "WindowCenterWidthExplanation", "VOILUTFunction")
_WHITE = 2**16 - 1


def presentation_state(marked: Marked, film: Dataset) -> Dataset:
    """A Grayscale Softcopy Presentation State. `film`: see `dicom_film.film_of`.

    The same reading gives the same object. Greys are set here and not by highdicom, which refuses films that
    name both windows and tables.
    """
    layers = {
        layer: pr.GraphicLayer(layer.value, order, about, CIELabColor.from_rgb(*colour))
        for order, (layer, (about, colour)) in enumerate(LAYERS.items(), start=1)
    }
    drawn = list(_drawn(marked, film, layers))
    used = {annotation.GraphicLayer for annotation in drawn}
    state = pr.GrayscaleSoftcopyPresentationState(
        referenced_images=[_without_greys(film)],
        content_label=LABEL,
        content_description=f"{PURPOSE}: {marked.name}",
        graphic_annotations=drawn,
        graphic_layers=[layer for layer in layers.values() if layer.GraphicLayer in used],
        content_creator_name=marked.reader,
        **made_of(marked, WHAT, series_number=SERIES_NUMBER),
    )
    _set_greys(state, film)
    _set_shape(state, film)
    # Of a body part that is not named, and so may be paired (C.7.3.1).
    state.Laterality = None
    date_by(state, marked.signed_at)
    state.PresentationCreationDate = state.InstanceCreationDate
    state.PresentationCreationTime = state.InstanceCreationTime
    return state


def _drawn(
    marked: Marked, film: Dataset, layers: dict[Layer, pr.GraphicLayer]
) -> Iterator[pr.GraphicAnnotation]:
    """An annotation for each layer with a region: outlines, and beside each which step it is of."""
    for layer, graphic_layer in layers.items():
        found = [(one, one.box) for one in marked.groups if one.layer == layer and one.box is not None]
        if found:
            yield pr.GraphicAnnotation(
                referenced_images=[film],
                graphic_layer=graphic_layer,
                graphic_objects=[_outline(group, box) for group, box in found],
                text_objects=[_label(group, box) for group, box in found],
            )


def _outline(group: Group, box: Box) -> pr.GraphicObject:
    """A rectangle as a closed polyline; the origin is the film's upper left corner (PS3.3 C.10.5.1.2)."""
    x_min, y_min, x_max, y_max = box
    corners = [(x_min, y_min), (x_max, y_min), (x_max, y_max), (x_min, y_max), (x_min, y_min)]
    return pr.GraphicObject(
        graphic_type=pr.GraphicTypeValues.POLYLINE,
        graphic_data=np.array(corners),
        units=pr.AnnotationUnitsValues.PIXEL,
        tracking_id=group.name,
        tracking_uid=group.uid,
    )


def _label(group: Group, box: Box) -> pr.TextObject:
    """At the upper left corner; the line to it would lie on the outline."""
    return pr.TextObject(
        text_value=group.name,
        units=pr.AnnotationUnitsValues.PIXEL,
        anchor_point=(box[0], box[1]),
        anchor_point_visible=False,
        tracking_id=group.name,
        tracking_uid=group.uid,
    )


def _without_greys(film: Dataset) -> Dataset:
    plain = Dataset()
    plain.update(film)
    for keyword in (*_RESCALE, *_WINDOW, _MODALITY_TABLES, _VOI_TABLES):
        plain.pop(keyword, None)
    return plain


def _set_greys(state: Dataset, film: Dataset) -> None:
    """Modality, window or VOI tables, and polarity, as the film's own header has them.

    A state goes before the film's photometric interpretation, so MONOCHROME1 has to be said (C.11.6.1).
    """
    modality_tables = lookup_tables(film, _MODALITY_TABLES)
    if modality_tables:
        [(_, table)] = modality_tables[:1]
        item = _table(table.first_mapped, table.entries)
        item.ModalityLUTType = film[_MODALITY_TABLES][0].get("ModalityLUTType") or "US"
        state.ModalityLUTSequence = Sequence([item])
    elif "RescaleSlope" in film:
        state.RescaleIntercept, state.RescaleSlope = film.RescaleIntercept, film.RescaleSlope
        state.RescaleType = film.get("RescaleType") or "US"
    shown = Dataset()
    if film.get("WindowCenter") is not None:
        for keyword in _WINDOW:
            if film.get(keyword) is not None:
                shown[keyword] = film[keyword]
    elif tables := lookup_tables(film, _VOI_TABLES):
        shown.VOILUTSequence = Sequence([_voi_table(name, table) for name, table in tables])
    if shown:
        state.SoftcopyVOILUTSequence = Sequence([shown])
    state.PresentationLUTShape = "INVERSE" if film.PhotometricInterpretation == "MONOCHROME1" else "IDENTITY"


def _voi_table(name: str, table: LookupTable) -> Dataset:
    """White is the largest value of its bits, so entries are stretched to 16."""
    item = _table(table.first_mapped, np.round(table.entries * (_WHITE / table.maximum)))
    if name:
        item.LUTExplanation = name
    return item


def _table(first_mapped: int, entries: NDArray[np.float64]) -> Dataset:
    """In a state a table's entries have 8 bits or 16 (PS3.3 C.11.1.1.1, C.11.8), in films any number."""
    item = Dataset()
    num = len(entries)
    if first_mapped < 0:
        item.add_new("LUTDescriptor", "SS", [num if num < 2**15 else num - 2**16, first_mapped, 16])
    else:
        item.add_new("LUTDescriptor", "US", [num % 2**16, first_mapped, 16])
    item.add_new("LUTData", "OW", entries.astype("<u2").tobytes())
    return item


def _set_shape(state: Dataset, film: Dataset) -> None:
    """Of the pixels, in the displayed area: a spacing where the film says one, else a ratio (C.10.4)."""
    [area] = state.DisplayedAreaSelectionSequence
    spacing = film.get("PixelSpacing") or film.get("ImagerPixelSpacing")
    if spacing:
        del area.PresentationPixelAspectRatio
        area.PresentationPixelSpacing = spacing
    elif film.get("PixelAspectRatio"):
        area.PresentationPixelAspectRatio = film.PixelAspectRatio
