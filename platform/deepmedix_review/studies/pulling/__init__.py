"""Fetches films from a PACS over DICOMweb."""
