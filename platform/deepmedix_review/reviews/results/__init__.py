"""What a reader study found so far: progress, time, agreement and bias, each with its n and method."""
