"""Studies that may be kept no longer: the page that shows them, and their erasure once an admin says so."""
