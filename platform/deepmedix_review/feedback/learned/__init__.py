"""Which models have learned from a reader, a patient or a reading, through all their descendants."""
