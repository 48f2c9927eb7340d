"""Collections: named sets of studies, by a filter or by hand, frozen in versions and split by patient."""
