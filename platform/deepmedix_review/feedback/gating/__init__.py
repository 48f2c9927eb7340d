"""Who may pass the gate: the versions of its policy, the readers' preference, and the signature under it."""
