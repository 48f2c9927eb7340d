"""Rounds of learning from SIMULATED readers, without the platform: to find out what teaches what."""
