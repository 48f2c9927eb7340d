"""How a model learns: from texts, from preferences, from single judgements, and from rewarded attempts."""
