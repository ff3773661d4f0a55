"""The edge of the clock: the scheduler claims what is due, the worker does it unit by unit."""
