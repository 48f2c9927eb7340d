"""Training handed over to a cluster: bundles that leave, and models that come back."""
