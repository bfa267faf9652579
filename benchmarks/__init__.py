"""Measurements, one file a subject, each beside a yardstick that was run in turn with it. `make bench-quick`."""
