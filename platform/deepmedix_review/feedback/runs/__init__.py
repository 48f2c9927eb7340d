"""What a training run shows: curves, what the model wrote meanwhile, its config, and runs side by side."""
