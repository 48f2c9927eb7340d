"""How near a report is to the reference: by its words, by its findings, and by models that judge."""
