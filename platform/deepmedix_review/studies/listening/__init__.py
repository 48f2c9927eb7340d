"""How films come in over the DICOM network: a listener that answers C-ECHO and C-STORE (PS3.7, PS3.8)."""
