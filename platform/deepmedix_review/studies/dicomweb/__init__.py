"""How programs of hospitals and research groups find, fetch and send films: DICOMweb (DICOM PS3.18)."""
