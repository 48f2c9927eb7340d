"""What readers said as objects of DICOM, beside the films that they said it of."""
