"""How often a worker's clock jumps: a number that its process and the test that waits may both import."""

JUMPS_EVERY = 2.0  # seconds
