"""The clock's edge: the scheduler, which claims due jobs, and the workers, which do the long work unit by unit.

Both are processes of their own, and of each there may be several.
"""
