"""Messages over DICOMweb whose senders don't wait: kept as they came, and brought in by a worker."""
