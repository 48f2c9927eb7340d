"""The whole loop on one machine with SIMULATED readers: import, inference, readings, freeze, train, gate."""
